import { withAttributes } from '../attributes/check-attributes.ts'
import { showAttributes } from '../attributes/show-attributes.ts'
import { textMapIn, textsIn } from '../input.ts'
import { queueItem } from '../store/table-keys.ts'
import { queueOf, type SqsOperation } from './operation.ts'

export const getQueueAttributes: SqsOperation = async (world, input, call) => {
  const queue = queueOf(world, input, call)
  const names = new Set(textsIn(input, 'AttributeNames'))
  const shown = [...showAttributes(queue, call)].filter(([name]) => names.has('All') || names.has(name))
  await world.journal.commit({})
  return shown.length === 0 ? {} : { Attributes: Object.fromEntries(shown) }
}

export const setQueueAttributes: SqsOperation = async (world, input, call) => {
  const queue = queueOf(world, input, call)
  const given = textMapIn(input, 'Attributes')
  const nowMs = world.clock.now()
  const earlierDelayMs = queue.delayMs
  const attributes = withAttributes(world, queue.stored, given, call)
  queue.stored = { ...queue.stored, attributes, modifiedAtMs: nowMs }
  if (queue.fifo && queue.delayMs !== earlierDelayMs) queue.state.delayAnew(queue.delayMs, nowMs)
  world.settle(queue)
  queue.waiters.wake()
  await world.journal.commit({ puts: [queueItem(queue.stored)] })
  return {}
}
