import type { QueryPage, Table, TableItem, TableValue } from '@eddy/core'
import type { LiveQueue } from '../live-queue.ts'
import { runMoveTask } from '../move-messages.ts'
import { placeName } from '../place-message.ts'
import { SqsWorld, type WorldParts } from '../sqs-world.ts'
import { DEDUPLICATION_MS, deduplicationKey } from '../state/deduplication.ts'
import type { Message } from '../state/message.ts'
import type { StoredDeduplication, StoredMessage, StoredMoveTask, StoredQueue } from './stored.ts'
import { sweepMessages } from './sweep-messages.ts'
import {
  contentKey,
  DELETED,
  deduplicationItem,
  deduplicationOf,
  GARBAGE,
  MOVE_TASKS,
  messageKey,
  messagesOf,
  QUEUES,
  SEQUENCES,
} from './table-keys.ts'

const PAGE = 1_000

/** All queues as the table has them, with what a crash left half done finished or taken back. */
export async function loadWorld(parts: WorldParts): Promise<SqsWorld> {
  const world = new SqsWorld(parts)
  const { table } = parts
  const garbage = new Set((await allItems(table, GARBAGE)).map(({ sort }) => sort))
  const stored = await allItems<StoredQueue>(table, QUEUES)
  const reserved = new Map(
    (await allItems<{ readonly reserved: number }>(table, SEQUENCES)).map(({ sort, value }) => [
      sort,
      value.reserved,
    ]),
  )
  for (const { value } of stored) {
    // A deletion that got as far as this is done to its end.
    if (garbage.has(value.id)) await table.delete({ partition: QUEUES, sort: value.name }, 'any')
    else await loadQueue(world, value, reserved.get(value.id) ?? 1)
  }
  for (const { sort, value } of await allItems<{ readonly deletedAtMs: number }>(table, DELETED)) {
    if (!world.queues.has(sort)) world.deletedAtMs.set(sort, value.deletedAtMs)
  }
  await finishMoves(world)
  await loadMoveTasks(world, garbage, parts.readOnly)
  for (const queueId of garbage) void sweepMessages(world, { queueId, below: undefined })
  return world
}

async function loadQueue(world: SqsWorld, stored: StoredQueue, reserved: number): Promise<void> {
  const queue = world.addQueue(stored)
  const recent: Message[] = []
  let hasPurged = false
  let last = 0
  for await (const { sort, value } of items<StoredMessage>(world.table, messagesOf(stored.id))) {
    last = Number(sort)
    if (last < stored.purgedBelow) {
      hasPurged = true
      continue
    }
    const message = loadMessage(world, queue, last, value)
    queue.state.add(message)
    if (stored.fifo && message.movedFrom === undefined) recent.push(message)
  }
  queue.nextSequence = Math.max(reserved, last + 1, stored.purgedBelow)
  queue.reservedSequence = queue.nextSequence
  if (stored.fifo) await loadDeduplication(world, queue, recent)
  if (hasPurged) void sweepMessages(world, { queueId: stored.id, below: stored.purgedBelow })
}

function loadMessage(world: SqsWorld, queue: LiveQueue, sequence: number, stored: StoredMessage): Message {
  const { receiveCount = 0, earlierReceives = 0 } = stored
  const visibleAtMs = stored.visibleAtMs ?? stored.sentAtMs + queue.delayMs
  const isHidden = visibleAtMs > world.clock.now()
  const hiddenPhase = receiveCount > earlierReceives ? 'in-flight' : 'delayed'
  return {
    sequence,
    messageId: stored.messageId,
    sentAtMs: stored.sentAtMs,
    group: stored.group,
    deduplicationId: stored.deduplicationId,
    content: {
      queueId: stored.contentQueue ?? queue.id,
      sequence: stored.contentSequence ?? sequence,
    },
    sourceArn: stored.sourceArn,
    earlierReceives,
    movedFrom: stored.movedFrom,
    phase: isHidden ? hiddenPhase : 'ready',
    visibleAtMs,
    receiveCount,
    firstReceivedAtMs: stored.firstReceivedAtMs,
    receivedAtMs: stored.receivedAtMs,
  }
}

/**
 * The ids of the last five minutes. A message is stored before its content, and its id last: after a crash between, one
 * without content is taken away, so that a repeated send is taken, and one with content is remembered, so that it is not
 * taken twice.
 */
async function loadDeduplication(
  world: SqsWorld,
  queue: LiveQueue,
  messages: readonly Message[],
): Promise<void> {
  const nowMs = world.clock.now()
  for await (const { sort, value } of items<StoredDeduplication>(world.table, deduplicationOf(queue.id))) {
    queue.deduplication.add(sort, value, nowMs)
  }
  for (const message of messages) {
    const { deduplicationId, group = '', messageId, sequence } = message
    const untilMs = message.sentAtMs + DEDUPLICATION_MS
    if (deduplicationId === undefined || nowMs >= untilMs) continue
    const key = deduplicationKey(queue.stored.attributes.DeduplicationScope, group, deduplicationId)
    if (queue.deduplication.find(key, nowMs) !== undefined) continue
    if ((await world.table.get(contentKey(message.content))) === undefined) {
      queue.state.remove(message)
      await world.table.delete(messageKey(queue.id, sequence), 'any')
      continue
    }
    const sent = { messageId, sequence, untilMs }
    queue.deduplication.add(key, sent, nowMs)
    await world.table.put(deduplicationItem(queue.id, key, sent), 'any')
  }
}

/** A message that was moved is first in the other queue, then no more in its own: after a crash between it is in both. */
async function finishMoves(world: SqsWorld): Promise<void> {
  const moved = new Set<string>()
  for (const queue of world.queues.values()) {
    for (const { movedFrom } of queue.state.all()) if (movedFrom !== undefined) moved.add(movedFrom)
  }
  if (moved.size === 0) return
  for (const queue of world.queues.values()) {
    for (const message of [...queue.state.all()]) {
      if (!moved.has(placeName(queue, message.sequence))) continue
      queue.state.remove(message)
      await world.table.delete(messageKey(queue.id, message.sequence), 'any')
    }
  }
}

async function loadMoveTasks(
  world: SqsWorld,
  garbage: ReadonlySet<string>,
  readOnly: boolean,
): Promise<void> {
  const tasks = (await allItems<StoredMoveTask>(world.table, MOVE_TASKS)).map(({ value }) => value)
  for (const task of [...tasks].sort((a, b) => a.startedAtMs - b.startedAtMs)) {
    if (garbage.has(task.sourceQueueId)) {
      await world.table.delete({ partition: MOVE_TASKS, sort: task.handle }, 'any')
      continue
    }
    world.moveTasks.set(task.handle, task)
    if (task.status === 'RUNNING' && !readOnly) void runMoveTask(world, task.handle)
  }
}

async function allItems<V extends TableValue>(
  table: Table,
  partition: string,
): Promise<readonly TableItem<V>[]> {
  const all: TableItem<V>[] = []
  for await (const item of items<V>(table, partition)) all.push(item)
  return all
}

async function* items<V extends TableValue>(table: Table, partition: string): AsyncGenerator<TableItem<V>> {
  let after: string | undefined
  do {
    const page: QueryPage<V> = await table.query<V>({
      partition,
      limit: PAGE,
      ...(after !== undefined && { after }),
    })
    yield* page.items
    after = page.next
  } while (after !== undefined)
}
