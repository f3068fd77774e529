import { setMaxListeners } from 'node:events'
import { PurgeQueueCommand, type SQSClient } from '@aws-sdk/client-sqs'
import {
  type Blobs,
  type Clock,
  type Delivery,
  EngineClosedError,
  InvalidOptionError,
  isEddyError,
  type Logger,
  MAX_MESSAGE_DELAY_MS,
  type Queue,
  type QueueMessage,
  type QueueStats,
  type ReceiveRequest,
  type SendResult,
  silentLogger,
  type Table,
} from '@eddy/core'
import type { AwsResources } from '../resources/index.ts'
import { type DeliveryParts, deliver, deliverAll } from './deliveries.ts'
import { type LiveDelivery, LiveReceipts } from './live-receipts.ts'
import type { LongDelays } from './long-delays.ts'
import { type QueueAddress, QueueAddresses, RETENTION_MS } from './queue-addresses.ts'
import { MAX_DELAY_SECONDS, MAX_HIDDEN_MS, MAX_VISIBILITY_MS, secondsOf } from './queue-clock.ts'
import { queueCounts } from './queue-counts.ts'
import { poll } from './receive-messages.ts'
import { openMessage, type ReceivedMessage } from './received-message.ts'
import { forgetBlob, sendAgain } from './send-again.ts'
import { MessageSender } from './send-messages.ts'
import { SentBefore } from './sent-before.ts'
import { deleteMessages, hideMessage } from './settle-messages.ts'
import { isQueueMissing, sqsError } from './sqs-errors.ts'
import { queuePrefix, timerPrefix } from './timer-names.ts'

export interface SqsQueueOptions {
  /** With `maxAttempts: 1`: whoever calls the port tries again, and nobody else. */
  readonly client: SQSClient
  readonly clock: Clock
  readonly resources: Pick<AwsResources, 'name'>
  /** Bodies that are too large for a message. */
  readonly blobs: Blobs
  /** Deduplication ids. */
  readonly table: Table
  /** Of the port: queues whose messages have groups. Their queues in SQS are FIFO queues. Default: none. */
  readonly isFifo?: (queue: string) => boolean
  /** For what is due in more than 15 minutes. Without it such messages wait in the queue, received and hidden again. */
  readonly longDelays?: LongDelays
  readonly logger?: Logger
  /** Make queues that are not there: for tests and development. Default: they are deployed. */
  readonly createQueues?: boolean
  /** Of the queues in SQS, in bytes; default 1 MiB, the most. */
  readonly maxMessageBytes?: number
  /**
   * How long `purge` waits until it is over, in milliseconds: SQS deletes for up to a minute, also what is sent meanwhile.
   * Default 60,000; 0 for services that purge at once.
   */
  readonly purgeMs?: number
}

const MAX_MESSAGE_BYTES = 1_048_576
const PURGE_MS = 60_000
/** Schedules that could not be counted are not asked for again so soon. */
const NO_COUNT_MS = 60_000
/** Polls that wait at a time, of all queues. */
const MAX_WAITERS = 10_000

/**
 * The `Queue` port on Amazon SQS. Up to 15 minutes a message is delayed by SQS, beyond that by `longDelays`, which sends it
 * up to two minutes early; it has its due time with it, and one that is received early is hidden again until then (I5).
 *
 * Times are whole seconds, rounded up. A standard queue hands out in no particular order; messages of a group go through a
 * FIFO queue. Receipts are those of this process alone.
 */
export class SqsQueue implements Queue {
  readonly maxVisibilityMs: number = MAX_VISIBILITY_MS
  readonly #options: SqsQueueOptions
  readonly #addresses: QueueAddresses
  readonly #parts: DeliveryParts
  readonly #closing = new AbortController()
  #notCountedMs = Number.NEGATIVE_INFINITY

  constructor(options: SqsQueueOptions) {
    const { client, clock, resources, blobs, table, longDelays, isFifo = () => false } = options
    const createQueues = options.createQueues === true
    setMaxListeners(MAX_WAITERS, this.#closing.signal)
    this.#options = options
    this.#addresses = new QueueAddresses({ client, resources, isFifo, createQueues })
    const sender = new MessageSender({
      ...{ client, clock, blobs, longDelays, addresses: this.#addresses },
      sentBefore: new SentBefore(table, clock),
      maxMessageBytes: options.maxMessageBytes ?? MAX_MESSAGE_BYTES,
    })
    const { logger = silentLogger } = options
    this.#parts = { client, clock, blobs, sender, logger, receipts: new LiveReceipts(clock) }
  }

  /** Calls made from now on are refused, receives that wait end. The client stays open. */
  close(): void {
    this.#closing.abort()
  }

  async send(queue: string, messages: readonly QueueMessage[]): Promise<readonly SendResult[]> {
    this.#requireOpen()
    try {
      return await this.#parts.sender.send(queue, messages)
    } catch (error) {
      this.#forgetIfMissing(queue, error)
      // Nothing was sent.
      if (!isEddyError(error)) throw error
      const { retryable, message } = error
      return messages.map(() => ({ ok: false, retryable, message }))
    }
  }

  async receive(request: ReceiveRequest): Promise<readonly Delivery[]> {
    this.#requireOpen()
    checkRange('maxMessages', request.maxMessages, 1, 1_000)
    checkRange('visibilityMs', request.visibilityMs, 0, MAX_VISIBILITY_MS)
    const { queue, waitMs, signal } = request
    const { clock } = this.#options
    const untilMs = clock.monotonicMs() + waitMs
    const address = await this.#addresses.find(queue)
    for (;;) {
      if (signal?.aborted === true) return []
      const polling = this.#poll(address, request, Math.max(0, untilMs - clock.monotonicMs()))
      const deliveries = await untilAborted(polling, signal)
      if (deliveries === undefined) {
        // What it still brings is somebody else's.
        void polling.then((late) => this.#giveBack(queue, late)).catch(() => {})
        return []
      }
      this.#requireOpen()
      if (deliveries.length > 0 || clock.monotonicMs() >= untilMs) return deliveries
    }
  }

  /**
   * Takes messages as deliveries that somebody else received from SQS: a Lambda function. In order; undefined for one that is
   * not to be handled now and must not be deleted: it is not due yet and hidden until it is, or its body is missing.
   */
  async adopt(
    queue: string,
    messages: readonly ReceivedMessage[],
    visibilityMs: number,
  ): Promise<readonly (Delivery | undefined)[]> {
    this.#requireOpen()
    const address = await this.#addresses.find(queue)
    return await Promise.all(
      messages.map((message) =>
        deliver(this.#parts, address, openMessage(message, address.isFifo), visibilityMs),
      ),
    )
  }

  async ack(queue: string, receipts: readonly string[]): Promise<void> {
    this.#requireOpen()
    const live = this.#parts.receipts
    const taken = receipts.flatMap((receipt) => {
      const delivery = live.take(queue, receipt)
      return delivery === undefined ? [] : [{ receipt, delivery }]
    })
    if (taken.length === 0) return
    try {
      const handles = taken.map(({ delivery }) => delivery.handle)
      await deleteMessages(this.#parts, await this.#addresses.find(queue), handles)
    } catch (error) {
      for (const { receipt, delivery } of taken) live.putBack(receipt, delivery)
      throw error
    }
    for (const { delivery } of taken) forgetBlob(this.#options.blobs, delivery.blob)
  }

  async delay(queue: string, receipt: string, delayMs: number): Promise<void> {
    this.#requireOpen()
    checkRange('delayMs', delayMs, 0, MAX_MESSAGE_DELAY_MS)
    const { clock, receipts } = this.#parts
    const delivery = receipts.take(queue, receipt)
    if (delivery === undefined) return
    try {
      const address = await this.#addresses.find(queue)
      if (this.#fitsVisibility(delivery, delayMs))
        await hideMessage(this.#parts, address, delivery.handle, delayMs)
      else await sendAgain(this.#parts, address, delivery, clock.now() + delayMs)
    } catch (error) {
      receipts.putBack(receipt, delivery)
      throw error
    }
  }

  async depth(queue: string): Promise<number> {
    return (await this.stats(queue)).messages
  }

  async stats(queue: string): Promise<QueueStats> {
    this.#requireOpen()
    const { client, clock } = this.#options
    const address = await this.#addresses.find(queue)
    const [{ ready, inFlight, delayed }, later] = await Promise.all([
      this.#asked(address, 'GetQueueAttributes', () => queueCounts(client, address)),
      this.#scheduled(queue),
    ])
    const counts = { messages: ready + inFlight + delayed + later, inFlight, delayed: delayed + later }
    if (ready + inFlight === 0) return { ...counts, oldestDueAtMs: undefined }
    const nowMs = clock.now()
    // SQS tells the age of its oldest message to CloudWatch alone: the oldest that this process has in hand stands for it.
    const oldestDueAtMs = this.#parts.receipts.oldestDueAtMs(queue) ?? nowMs
    return { ...counts, oldestDueAtMs, noneDueBeforeMs: nowMs - RETENTION_MS }
  }

  async purge(queue: string): Promise<void> {
    this.#requireOpen()
    const { client, clock, longDelays, purgeMs = PURGE_MS } = this.#options
    const address = await this.#addresses.find(queue)
    await longDelays?.cancel(queuePrefix(queue))
    await this.#asked(address, 'PurgeQueue', () =>
      client.send(new PurgeQueueCommand({ QueueUrl: address.url })),
    )
    this.#parts.receipts.clear(queue)
    if (purgeMs > 0) await clock.sleep(purgeMs, this.#closing.signal)
  }

  async cancel(queue: string, timer: string): Promise<void> {
    this.#requireOpen()
    await this.#options.longDelays?.cancel(timerPrefix(queue, timer))
  }

  /** Schedules are a part of the count that nothing rests on: without it the rest is told all the same. */
  async #scheduled(queue: string): Promise<number> {
    const { clock, longDelays } = this.#options
    if (clock.monotonicMs() - this.#notCountedMs < NO_COUNT_MS) return 0
    try {
      return (await longDelays?.count(queuePrefix(queue))) ?? 0
    } catch (error) {
      this.#notCountedMs = clock.monotonicMs()
      this.#parts.logger.warn({ queue, reason: String(error) }, 'the schedules of a queue are not counted')
      return 0
    }
  }

  async #poll(
    address: QueueAddress,
    { maxMessages, visibilityMs }: ReceiveRequest,
    waitMs: number,
  ): Promise<readonly Delivery[]> {
    try {
      const { signal } = this.#closing
      const { client } = this.#options
      const received = await poll(client, address, { maxMessages, visibilityMs, waitMs, signal })
      return await deliverAll(this.#parts, address, received, secondsOf(visibilityMs) * 1_000)
    } catch (error) {
      this.#forgetIfMissing(address.queue, error)
      throw error
    }
  }

  /** What is hidden counts among the messages in flight, of which SQS has a limit: for long it is sent anew instead. */
  #fitsVisibility({ header, receivedMs }: LiveDelivery, delayMs: number): boolean {
    const { clock, longDelays } = this.#options
    const isAllowed = clock.monotonicMs() - receivedMs + delayMs <= MAX_HIDDEN_MS
    const isBound = header === undefined || header.group !== undefined
    if (isBound && !isAllowed)
      throw new InvalidOptionError(
        'delayMs',
        'at most 11 hours for a message of a group, or of somebody else',
        delayMs,
      )
    if (isBound || delayMs <= MAX_DELAY_SECONDS * 1_000) return isAllowed
    return longDelays === undefined && isAllowed
  }

  async #giveBack(queue: string, deliveries: readonly Delivery[]): Promise<void> {
    if (this.#closing.signal.aborted) return
    await Promise.all(deliveries.map(({ receipt }) => this.delay(queue, receipt, 0)))
  }

  async #asked<T>({ queue, name }: QueueAddress, operation: string, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (error) {
      this.#forgetIfMissing(queue, error)
      throw sqsError(error, `${operation} of queue "${name}"`)
    }
  }

  /** It may have been made anew, at another address. */
  #forgetIfMissing(queue: string, error: unknown): void {
    if (isQueueMissing(isEddyError(error) ? error.cause : error)) this.#addresses.forget(queue)
  }

  #requireOpen(): void {
    if (this.#closing.signal.aborted) throw new EngineClosedError()
  }
}

function checkRange(name: string, value: number, min: number, max: number): void {
  if (!(value >= min && value <= max)) throw new InvalidOptionError(name, `${min} to ${max} on SQS`, value)
}

/** Undefined: the signal was first. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T | undefined> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const end = (): void => resolve(undefined)
    signal.addEventListener('abort', end, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', end))
  })
}
