import type { QueueStatus } from '@eddy/core'
import type { CommandContext } from '../command-context.ts'
import { printable } from '../format/printable.ts'
import { count, plural } from '../format/quantity.ts'
import { table } from '../format/table.ts'
import { duration } from '../format/time.ts'

export async function printQueues(context: CommandContext, queues: readonly QueueStatus[]): Promise<void> {
  if (context.json) return await context.printJson(queues)
  if (queues.length === 0) {
    return await context.note('There is no queue. An application file states them: queue(NAME)')
  }
  await context.print(
    table(
      queues,
      [
        { title: 'QUEUE', value: ({ name }) => name },
        { title: 'GROUPS BY', value: ({ group }) => group ?? '-' },
        { title: 'READY', align: 'right', value: ({ ready }) => count(ready) },
        { title: 'IN FLIGHT', align: 'right', value: ({ inFlight }) => count(inFlight) },
        { title: 'DELAYED', align: 'right', value: ({ delayed }) => count(delayed) },
        { title: 'OLDEST', align: 'right', value: ({ oldestAgeMs }) => duration(oldestAgeMs) },
        { title: 'SUBSCRIPTION', value: ({ subscription }) => subscription ?? '-' },
      ],
      context.paint,
    ),
  )
}

export async function printQueue(context: CommandContext, queue: QueueStatus): Promise<void> {
  if (context.json) return await context.printJson(queue)
  const { name, group, messages, ready, inFlight, delayed, oldestAgeMs, subscription } = queue
  const order = group === undefined ? 'without order' : `in order by ${printable(group)}`
  const lines = [
    `${context.paint.bold(printable(name))}  ${plural(messages, 'message')}, ${order}`,
    `ready ${count(ready)}, in flight ${count(inFlight)}, delayed ${count(delayed)}; the oldest waits for ${duration(oldestAgeMs)}`,
    `deduplication ids are remembered for ${duration(queue.deduplicationWindowMs)}`,
    `read by ${subscription === undefined ? 'no subscription' : printable(subscription)}`,
  ]
  if (subscription !== undefined)
    lines.push('', `See what failed: eddy failures list --subscription ${printable(subscription)}`)
  await context.print(lines.join('\n'))
}
