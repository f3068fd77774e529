import type { AwsCall, AwsStructure } from '../../aws-service.ts'
import { removal } from '../burials.ts'
import { deadLetterQueue, giveUp } from '../give-up.ts'
import { textIn, textsIn, wholeIn } from '../input.ts'
import type { LiveQueue } from '../live-queue.ts'
import { readId } from '../messages/read-message.ts'
import { type HandedOut, showMessage, type Wanted } from '../messages/show-message.ts'
import { invalidValue, noSuchQueue, overLimit } from '../sqs-errors.ts'
import type { SqsWorld } from '../sqs-world.ts'
import type { Message } from '../state/message.ts'
import type { StoredContent } from '../store/stored.ts'
import { contentKey, messageItem } from '../store/table-keys.ts'
import { queueOf, type SqsOperation } from './operation.ts'

interface ReceiveRequest {
  readonly count: number
  readonly visibilityMs: number
  readonly waitMs: number
  readonly attemptId: string | undefined
  readonly wanted: Wanted
}

export const receiveMessage: SqsOperation = async (world, input, call) => {
  const queue = queueOf(world, input, call)
  const request = readRequest(queue, input)
  const untilMonotonicMs = world.clock.monotonicMs() + request.waitMs
  const waiter = request.waitMs > 0 ? queue.waiters.join() : undefined
  try {
    for (;;) {
      const messages = await receive(world, queue, request, call)
      if (messages.length > 0) return { Messages: messages }
      const isOver = waiter === undefined || world.clock.monotonicMs() >= untilMonotonicMs
      if (isOver || call.signal.aborted || world.signal.aborted) break
      const dueMs = queue.state.nextDueMs()
      const nextDueInMs = dueMs === undefined ? undefined : dueMs - world.clock.now()
      await waiter.wait({ untilMonotonicMs, nextDueInMs, signal: call.signal })
      if (call.signal.aborted) break
    }
  } finally {
    waiter?.leave()
  }
  // Nothing is there because of what others did: that is durable first.
  await world.journal.commit({})
  return {}
}

function readRequest(queue: LiveQueue, input: AwsStructure): ReceiveRequest {
  const count = wholeIn(input, 'MaxNumberOfMessages', {
    min: 1,
    max: 10,
    reason: 'Must be between 1 and 10, if provided.',
  })
  const visibility = wholeIn(input, 'VisibilityTimeout', {
    min: 0,
    max: 43_200,
    reason: 'Must be between 0 and 43200, if provided.',
  })
  const wait = wholeIn(input, 'WaitTimeSeconds', {
    min: 0,
    max: 20,
    reason: 'Must be >= 0 and <= 20, if provided.',
  })
  const attemptId = readId(input, 'ReceiveRequestAttemptId')
  if (attemptId !== undefined && !queue.fifo) {
    throw invalidValue(
      textIn(input, 'ReceiveRequestAttemptId') ?? '',
      'ReceiveRequestAttemptId',
      'The request include parameter that is not valid for this queue type.',
    )
  }
  return {
    count: count ?? 1,
    visibilityMs: visibility === undefined ? queue.visibilityMs : 1_000 * visibility,
    waitMs: wait === undefined ? queue.waitMs : 1_000 * wait,
    attemptId,
    wanted: {
      system: new Set([
        ...textsIn(input, 'AttributeNames'),
        ...textsIn(input, 'MessageSystemAttributeNames'),
      ]),
      attributes: textsIn(input, 'MessageAttributeNames'),
    },
  }
}

/** What may be received now, hidden and noted as received before it is shown. */
async function receive(
  world: SqsWorld,
  queue: LiveQueue,
  request: ReceiveRequest,
  call: AwsCall,
): Promise<readonly AwsStructure[]> {
  if (!queue.isLive) throw noSuchQueue()
  world.settle(queue)
  const taken = repeated(world, queue, request) ?? take(world, queue, request, call)
  if (taken.messages.length === 0) return []
  const handedOut = taken.messages.map((message) => ({ message, receiveCount: message.receiveCount }))
  await taken.durable
  return await show(world, queue, handedOut, request.wanted)
}

interface TakenNow {
  readonly messages: readonly Message[]
  readonly durable: Promise<void>
}

function repeated(world: SqsWorld, queue: LiveQueue, request: ReceiveRequest): TakenNow | undefined {
  if (request.attemptId === undefined) return undefined
  const nowMs = world.clock.now()
  const has = (message: Message): boolean => queue.state.get(message.sequence) === message
  const messages = queue.attempts.repeat(request.attemptId, nowMs, has)
  if (messages === undefined) return undefined
  for (const message of messages) queue.state.hide(message, nowMs + request.visibilityMs, nowMs)
  const puts = messages.map((message) => messageItem(queue, message))
  return { messages, durable: world.journal.commit({ puts }) }
}

function take(world: SqsWorld, queue: LiveQueue, request: ReceiveRequest, call: AwsCall): TakenNow {
  const nowMs = world.clock.now()
  const room = world.limits.inFlight - queue.state.count('in-flight')
  if (room <= 0 && !queue.fifo && request.waitMs === 0) {
    throw overLimit(`Too many messages in flight: ${world.limits.inFlight} at most in a queue.`)
  }
  const { messages, givenUp } = queue.state.take({
    count: Math.min(request.count, Math.max(0, room)),
    nowMs,
    visibilityMs: request.visibilityMs,
    maxReceives: deadLetterQueue(world, queue) && queue.redrive?.maxReceiveCount,
  })
  if (request.visibilityMs === 0) for (const message of messages) queue.state.hide(message, nowMs, nowMs)
  if (request.attemptId !== undefined && messages.length > 0) {
    queue.attempts.note(request.attemptId, messages, nowMs)
  }
  const moved = givenUp.length === 0 ? undefined : giveUp(world, queue, givenUp, call)
  const durable = world.journal.commit({
    puts: [...messages.map((message) => messageItem(queue, message)), ...(moved?.puts ?? [])],
    finally: moved?.finally ?? [],
  })
  return { messages, durable }
}

async function show(
  world: SqsWorld,
  queue: LiveQueue,
  handedOut: readonly HandedOut[],
  wanted: Wanted,
): Promise<readonly AwsStructure[]> {
  const keys = handedOut.map(({ message }) => contentKey(message.content))
  const contents = await world.table.getMany<StoredContent>(keys)
  const shown: AwsStructure[] = []
  for (const [index, one] of handedOut.entries()) {
    const content = contents[index]?.value
    if (content === undefined) drop(world, queue, one.message)
    else shown.push(showMessage(queue, one, content, wanted))
  }
  return shown
}

/** Deleted meanwhile, or never acknowledged: its sender's process ended between the message and its content. */
function drop(world: SqsWorld, queue: LiveQueue, message: Message): void {
  if (queue.state.get(message.sequence) !== message) return
  queue.state.remove(message)
  queue.waiters.wake()
  world.journal.commitLater(removal(queue, [message]))
}
