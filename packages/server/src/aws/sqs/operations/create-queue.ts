import { randomUUID } from 'node:crypto'
import { AwsError } from '../../aws-error.ts'
import type { AwsCall } from '../../aws-service.ts'
import { canonicalValue, withAttributes } from '../attributes/check-attributes.ts'
import { showAttributes } from '../attributes/show-attributes.ts'
import { requiredText, textMapIn } from '../input.ts'
import type { LiveQueue } from '../live-queue.ts'
import { checkQueueName, queueUrl } from '../queue-names.ts'
import { overLimit, prefixed } from '../sqs-errors.ts'
import type { SqsWorld } from '../sqs-world.ts'
import type { StoredQueue } from '../store/stored.ts'
import { queueItem } from '../store/table-keys.ts'
import type { SqsOperation } from './operation.ts'
import { checkTags } from './tags.ts'

/** A name may be used again so long after its queue was deleted. */
export const DELETED_RECENTLY_MS = 60_000

export const createQueue: SqsOperation = async (world, input, call) => {
  const name = requiredText(input, 'QueueName')
  const given = textMapIn(input, 'Attributes')
  const tags = textMapIn(input, 'tags')
  const fifo = given.get('FifoQueue') === 'true'
  checkQueueName(name, fifo)
  const existing = world.queues.get(name)
  if (existing !== undefined) {
    requireSame(existing, given, call)
    await world.journal.commit({})
    return { QueueUrl: queueUrl(call, name) }
  }
  const attributes = withAttributes(world, { name, fifo, attributes: {} }, given, call)
  checkTags(tags)
  requireFreeName(world, name)
  const nowMs = world.clock.now()
  const stored: StoredQueue = {
    id: randomUUID(),
    name,
    fifo,
    createdAtMs: nowMs,
    modifiedAtMs: nowMs,
    attributes,
    tags: Object.fromEntries(tags),
    purgedBelow: 0,
    purgedAtMs: undefined,
  }
  world.addQueue(stored)
  await world.journal.commit({ puts: [queueItem(stored)] })
  return { QueueUrl: queueUrl(call, name) }
}

function requireSame(queue: LiveQueue, given: ReadonlyMap<string, string>, call: AwsCall): void {
  const shown = showAttributes(queue, call)
  for (const [name, value] of given) {
    if ((shown.get(name) ?? '') === canonicalValue(name, value)) continue
    throw new AwsError(
      'QueueNameExists',
      `A queue already exists with the same name and a different value for attribute ${name}`,
      { queryCode: 'QueueAlreadyExists' },
    )
  }
}

function requireFreeName(world: SqsWorld, name: string): void {
  const deletedAtMs = world.deletedAtMs.get(name)
  if (deletedAtMs !== undefined && world.clock.now() < deletedAtMs + DELETED_RECENTLY_MS) {
    throw prefixed(
      'QueueDeletedRecently',
      'You must wait 60 seconds after deleting a queue before you can create another with the same name.',
    )
  }
  if (world.queues.size >= world.limits.queues) {
    throw overLimit(`This endpoint has ${world.queues.size} queues, and no room for more.`)
  }
}
