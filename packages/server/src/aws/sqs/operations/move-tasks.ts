import { randomUUID } from 'node:crypto'
import type { AwsCall, AwsStructure } from '../../aws-service.ts'
import { requiredText, textIn, wholeIn } from '../input.ts'
import type { LiveQueue } from '../live-queue.ts'
import { runMoveTask } from '../move-messages.ts'
import { nameFromArn, nameFromStoredArn } from '../queue-names.ts'
import { invalidParameter, noSuchResource, unsupported } from '../sqs-errors.ts'
import type { SqsWorld } from '../sqs-world.ts'
import type { StoredMoveTask } from '../store/stored.ts'
import { MOVE_TASKS, moveTaskItem } from '../store/table-keys.ts'
import type { SqsOperation } from './operation.ts'

/** Of a source; the service lists no more. */
const MAX_KEPT = 10

export const startMessageMoveTask: SqsOperation = async (world, input, call) => {
  const sourceArn = requiredText(input, 'SourceArn')
  const source = queueOfArn(world, call, 'SourceArn', sourceArn)
  world.settle(source)
  const maxPerSecond = wholeIn(input, 'MaxNumberOfMessagesPerSecond', {
    min: 1,
    max: 500,
    reason: 'Value must be a positive integer and at most 500.',
  })
  const destinationArn = textIn(input, 'DestinationArn')
  if (destinationArn !== undefined) checkDestination(world, call, source, destinationArn)
  const isDeadLetterQueue = [...world.queues.values()].some(
    ({ redrive }) => redrive !== undefined && nameFromStoredArn(redrive.deadLetterTargetArn) === source.name,
  )
  if (!isDeadLetterQueue) {
    throw invalidParameter('Source queue must be configured as a Dead Letter Queue.')
  }
  const earlier = tasksOf(world, source)
  if (earlier.some(({ status }) => status === 'RUNNING')) {
    throw unsupported(
      'There is already a task running. Only one active task is allowed for a source queue arn at a given time.',
    )
  }
  const task: StoredMoveTask = {
    handle: taskHandle(sourceArn),
    sourceQueueId: source.id,
    sourceArn,
    destinationArn,
    maxPerSecond,
    status: 'RUNNING',
    below: source.nextSequence,
    moved: 0,
    toMove: source.state.size,
    startedAtMs: world.clock.now(),
    failureReason: undefined,
  }
  const forgotten = earlier.slice(MAX_KEPT - 1)
  for (const { handle } of forgotten) world.moveTasks.delete(handle)
  world.moveTasks.set(task.handle, task)
  await world.journal.commit({
    puts: [moveTaskItem(task)],
    finally: forgotten.map(({ handle }) => ({ partition: MOVE_TASKS, sort: handle })),
  })
  void runMoveTask(world, task.handle)
  return { TaskHandle: task.handle }
}

export const cancelMessageMoveTask: SqsOperation = async (world, input) => {
  const task = world.moveTasks.get(requiredText(input, 'TaskHandle'))
  if (task === undefined) throw noSuchResource('Task does not exist.')
  if (task.status !== 'RUNNING') throw unsupported('Only active tasks can be cancelled.')
  const cancelled: StoredMoveTask = { ...task, status: 'CANCELLED' }
  world.moveTasks.set(task.handle, cancelled)
  await world.journal.commit({ puts: [moveTaskItem(cancelled)] })
  return { ApproximateNumberOfMessagesMoved: cancelled.moved }
}

export const listMessageMoveTasks: SqsOperation = async (world, input, call) => {
  const source = queueOfArn(world, call, 'SourceArn', requiredText(input, 'SourceArn'))
  const limit = wholeIn(input, 'MaxResults', {
    min: 1,
    max: MAX_KEPT,
    reason: 'MaxResults must be an integer between 1 and 10.',
  })
  await world.journal.commit({})
  const tasks = tasksOf(world, source).slice(0, limit ?? 1)
  return { Results: tasks.map(showTask) }
}

function showTask(task: StoredMoveTask): AwsStructure {
  return {
    TaskHandle: task.status === 'RUNNING' ? task.handle : undefined,
    Status: task.status,
    SourceArn: task.sourceArn,
    DestinationArn: task.destinationArn,
    MaxNumberOfMessagesPerSecond: task.maxPerSecond,
    ApproximateNumberOfMessagesMoved: task.moved,
    ApproximateNumberOfMessagesToMove: task.toMove,
    FailureReason: task.failureReason,
    StartedTimestamp: task.startedAtMs,
  }
}

/** The latest first. */
function tasksOf(world: SqsWorld, source: LiveQueue): readonly StoredMoveTask[] {
  return [...world.moveTasks.values()].filter(({ sourceQueueId }) => sourceQueueId === source.id).reverse()
}

function checkDestination(world: SqsWorld, call: AwsCall, source: LiveQueue, arn: string): void {
  const target = queueOfArn(world, call, 'DestinationArn', arn)
  if (target === source) throw invalidParameter('Source queue and destination queue must not be the same.')
  if (target.fifo !== source.fifo) {
    throw invalidParameter('Source queue and destination queue must be of the same type.')
  }
}

function queueOfArn(world: SqsWorld, call: AwsCall, parameter: string, arn: string): LiveQueue {
  const name = nameFromArn(arn, call)
  const queue = name === undefined ? undefined : world.queues.get(name)
  if (queue !== undefined) return queue
  throw noSuchResource(`The resource that you specified for the ${parameter} parameter doesn't exist.`)
}

/** Opaque to clients. Well below the size of a table's key: a queue's name has at most 80 characters. */
function taskHandle(sourceArn: string): string {
  return Buffer.from(JSON.stringify({ taskId: randomUUID(), sourceArn })).toString('base64')
}
