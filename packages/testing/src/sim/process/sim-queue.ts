import {
  type Delivery,
  MAX_MESSAGE_DELAY_MS,
  messageProblem,
  type Queue,
  type QueueMessage,
  type ReceiveRequest,
  type SendResult,
  StorageError,
} from '@eddy/core'
import { checkWhole } from './check-options.ts'
import type { SimProcess } from './sim-process.ts'

/** Due messages that an overtaking delivery chooses from. */
const OVERTAKING_WINDOW = 1_000

/** The Queue port of one simulated process. */
export function simQueue(process: SimProcess): Queue {
  const { world } = process
  const { dice } = world
  const now = (): number => world.clock.now()
  return {
    send: async (queue, messages) => {
      const copies = messages.map((message) => ({ ...message }))
      const someOfThem = (): void => {
        for (const message of copies) if (dice.tookEffect()) sendOne(process, queue, message)
      }
      const withFaults = (): SendResult[] => {
        if (dice.strikes('sendRejected')) {
          someOfThem()
          throw new StorageError('simulated: the send was not answered')
        }
        return copies.map((message) => sendWithFaults(process, queue, message))
      }
      return process.write('queue.send', [queue, copies], withFaults, someOfThem)
    },
    receive: (request) => receive(process, request),
    ack: async (queue, receipts) => {
      const copies = [...receipts]
      const ack = (): void => {
        for (const receipt of copies) {
          if (!dice.strikes('ackForgotten')) world.store.queue(queue).ack(receipt, now())
        }
        // Of a group, the next message may be due now.
        world.waitRoom.wakeAll(channelOf(queue))
      }
      return process.write('queue.ack', [queue, copies], () => orRejected(process, 'the ack', ack), ack)
    },
    delay: async (queue, receipt, delayMs) => {
      checkWhole('delayMs', delayMs, 0, MAX_MESSAGE_DELAY_MS)
      const delay = (): void => {
        const dueAtMs = now() + delayMs + lateness(process)
        if (world.store.queue(queue).delay(receipt, dueAtMs, now())) world.waitRoom.wakeAll(channelOf(queue))
      }
      const args = [queue, receipt, delayMs]
      return process.write('queue.delay', args, () => orRejected(process, 'the delay', delay), delay)
    },
    depth: async (queue) => process.read('queue.depth', [queue], () => world.store.queue(queue).depth),
    stats: async (queue) => process.read('queue.stats', [queue], () => world.store.queue(queue).stats(now())),
    purge: async (queue) => {
      const purge = (): void => world.store.queue(queue).purge()
      return process.write('queue.purge', [queue], purge, purge)
    },
  }
}

async function receive(process: SimProcess, request: ReceiveRequest): Promise<readonly Delivery[]> {
  checkWhole('maxMessages', request.maxMessages, 1, 1_000)
  const { world } = process
  const { signal, ...rest } = request
  return process.wait('queue.receive', [rest], {
    attempt: () => {
      if (world.dice.strikes('readRejected')) throw new StorageError('simulated: the receive failed')
      return deliverDue(process, request)
    },
    isReady: (deliveries) => deliveries.length > 0,
    waitMs: request.waitMs,
    signal,
    channel: channelOf(request.queue),
    readyInMs: () => {
      const dueAtMs = world.store.queue(request.queue).nextDueAtMs()
      return dueAtMs === undefined ? undefined : dueAtMs - world.clock.now()
    },
  })
}

function deliverDue(process: SimProcess, request: ReceiveRequest): Delivery[] {
  const { dice, clock, store } = process.world
  const queue = store.queue(request.queue)
  const nowMs = clock.now()
  if (queue.depth === 0 || dice.strikes('emptyReceive')) return []
  const untilMs = (): number =>
    nowMs +
    (dice.strikes('earlyVisibilityExpiry') ? dice.prng.int(request.visibilityMs + 1) : request.visibilityMs)
  let due = queue.due(nowMs, request.maxMessages)
  if (due.length > 0 && dice.strikes('overtakingDelivery')) {
    const shuffled = dice.prng.shuffle(queue.due(nowMs, OVERTAKING_WINDOW))
    due = shuffled.slice(0, Math.min(1 + dice.prng.int(shuffled.length), request.maxMessages))
  }
  const deliveries = due.map((message) => queue.deliver(message.messageId, untilMs(), false))
  const delivered = new Set(deliveries.map((delivery) => delivery.messageId))
  const inFlight = queue.inFlight(nowMs).filter((message) => !delivered.has(message.messageId))
  if (deliveries.length < request.maxMessages && inFlight.length > 0 && dice.strikes('duplicateDelivery')) {
    deliveries.push(queue.deliver(dice.prng.pick(inFlight).messageId, untilMs(), true))
  }
  return deliveries
}

function sendWithFaults(process: SimProcess, queue: string, message: QueueMessage): SendResult {
  const { dice } = process.world
  if (dice.strikes('sendFailed')) return { ok: false, retryable: true, message: 'simulated: not accepted' }
  const result = sendOne(process, queue, message)
  return result.ok && dice.strikes('sendAckLost')
    ? { ok: false, retryable: true, message: 'simulated: accepted, acknowledgement lost' }
    : result
}

function sendOne(process: SimProcess, queue: string, message: QueueMessage): SendResult {
  const { clock, store, waitRoom } = process.world
  const problem = messageProblem(message, Buffer.byteLength(message.body))
  if (problem !== undefined) return { ok: false, retryable: false, message: problem }
  const nowMs = clock.now()
  // Whole milliseconds, rounded up: never early (I5).
  const dueAtMs = nowMs + Math.ceil(message.delayMs) + lateness(process)
  const sent = store.queue(queue).send(message, dueAtMs, nowMs)
  waitRoom.wakeAll(channelOf(queue))
  return { ok: true, ...sent }
}

function lateness(process: SimProcess): number {
  const { dice } = process.world
  return dice.strikes('lateDelivery') ? dice.between(dice.plan.lateDeliveryMs) : 0
}

function orRejected(process: SimProcess, what: string, effect: () => void): void {
  const { dice } = process.world
  const rejected = dice.strikes('ackRejected')
  if (!rejected || dice.tookEffect()) effect()
  if (rejected) throw new StorageError(`simulated: ${what} was not answered`)
}

function channelOf(queue: string): string {
  return `queue/${queue}`
}
