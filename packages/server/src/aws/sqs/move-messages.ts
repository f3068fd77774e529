import { randomUUID } from 'node:crypto'
import type { ItemKey, PutItem } from '@eddy/core'
import type { LiveQueue } from './live-queue.ts'
import { placeMessage, placeName } from './place-message.ts'
import { nameFromStoredArn } from './queue-names.ts'
import type { SqsWorld } from './sqs-world.ts'
import type { Message } from './state/message.ts'
import type { MoveTaskStatus, StoredMoveTask } from './store/stored.ts'
import { messageKey, moveTaskItem } from './store/table-keys.ts'

const MAX_PER_SECOND = 500
const MIN_STEP_MS = 100

interface Step {
  readonly puts: readonly PutItem[]
  readonly finally: readonly ItemKey[]
  readonly task: StoredMoveTask
}

/**
 * Moves what a task is to move, at its rate, until nothing of it may be received. The count comes after the messages of
 * its step, in the same commit on an engine that has one: after a crash between, no message is moved twice, and the count
 * says less than was moved. Never rejects: a store that fails ends this world, and the next one goes on with the task.
 */
export async function runMoveTask(world: SqsWorld, handle: string): Promise<void> {
  const rate = world.moveTasks.get(handle)?.maxPerSecond ?? MAX_PER_SECOND
  const stepMs = Math.max(MIN_STEP_MS, 1_000 / rate)
  const count = Math.max(1, Math.floor((rate * stepMs) / 1_000))
  while (!world.signal.aborted) {
    const task = world.moveTasks.get(handle)
    if (task?.status !== 'RUNNING') return
    const step = moveSome(world, task, count)
    world.moveTasks.set(handle, step.task)
    try {
      await world.journal.commit({ puts: [...step.puts, moveTaskItem(step.task)], finally: step.finally })
    } catch {
      return
    }
    if (step.task.status !== 'RUNNING') return
    await world.clock.sleep(stepMs, world.signal)
  }
}

function moveSome(world: SqsWorld, task: StoredMoveTask, count: number): Step {
  const ended = (status: MoveTaskStatus, failureReason?: string): Step => ({
    puts: [],
    finally: [],
    task: { ...task, status, failureReason },
  })
  const source = [...world.queues.values()].find(({ id }) => id === task.sourceQueueId)
  if (source === undefined) return ended('FAILED', 'AWS.SimpleQueueService.NonExistentQueue')
  world.settle(source)
  const moved: { readonly message: Message; readonly puts: readonly PutItem[] }[] = []
  while (moved.length < count) {
    const message = source.state.first(task.below)
    if (message === undefined) break
    const target = destination(world, task, source, message)
    if (typeof target === 'string') {
      if (moved.length === 0) return ended('FAILED', target)
      break
    }
    source.state.remove(message)
    moved.push({ message, puts: moveOne(world, source, target, message) })
  }
  return {
    puts: moved.flatMap(({ puts }) => puts),
    finally: moved.map(({ message }) => messageKey(source.id, message.sequence)),
    task: {
      ...task,
      moved: task.moved + moved.length,
      status: moved.length === 0 ? 'COMPLETED' : 'RUNNING',
    },
  }
}

/** Where a message goes, or why it cannot. */
function destination(
  world: SqsWorld,
  task: StoredMoveTask,
  source: LiveQueue,
  message: Message,
): LiveQueue | string {
  const arn = task.destinationArn ?? message.sourceArn
  if (arn === undefined) return 'CouldNotDetermineMessageSource'
  const target = world.queues.get(nameFromStoredArn(arn))
  if (target === undefined) return 'AWS.SimpleQueueService.NonExistentQueue'
  return target.fifo === source.fifo ? target : 'AWS.SimpleQueueService.UnsupportedOperation'
}

/** It begins a new life: a new id, a new time, and nobody has received it. */
function moveOne(
  world: SqsWorld,
  source: LiveQueue,
  target: LiveQueue,
  message: Message,
): readonly PutItem[] {
  return placeMessage(world, target, {
    messageId: randomUUID(),
    sentAtMs: world.clock.now(),
    delayMs: undefined,
    group: message.group,
    deduplicationId: message.deduplicationId,
    content: message.content,
    sourceArn: undefined,
    earlierReceives: 0,
    firstReceivedAtMs: undefined,
    movedFrom: placeName(source, message.sequence),
  }).puts
}
