import {
  type AppendOutcome,
  EngineClosedError,
  InvalidOptionError,
  type NewEvent,
  type NewMessage,
  type ProduceOptions,
  type ProduceReport,
  type QueueDefinition,
  type SendOutcome,
  type StreamDefinition,
} from '@eddy/core'
import type { Backoff } from './backoff.ts'
import { createProducer } from './create-producer.ts'
import { HttpLog } from './http-log.ts'
import { HttpQueueLog } from './http-queue-log.ts'
import { sendMessages } from './send-messages.ts'
import { Transport } from './transport.ts'

export interface ConnectOptions {
  /** Sent as a bearer token; needed where the server was started with one. */
  readonly token?: string
  /** Give up on an event this long after it was first sent; 1,000 to a day, default 60,000. */
  readonly giveUpAfterMs?: number
  readonly backoff?: Backoff
}

/** Times are what ends the sending of an event, not tries. */
const MAX_TRIES = 100

/** A producer in another process than the engine's. */
export interface RemoteProducer {
  readonly url: string
  /**
   * Stores events and says what became of each, in order. Appends that overlap share requests; what is throttled or whose
   * outcome got lost is sent again, and stored once.
   *
   * An event that was given up is an outcome, too: `mayBeStored` when its last answer got lost.
   * @throws RemoteError the server refused the request (no such stream, a wrong token): nothing of it was stored
   */
  append(
    stream: string | StreamDefinition,
    events: NewEvent | readonly NewEvent[],
  ): Promise<readonly AppendOutcome[]>
  /**
   * Appends everything that a source gives, however long it is, as fast as the stream's limits allow, with bounded memory;
   * `options.onOutcome` is told every event's fate.
   * @throws ProduceError when the source, `onOutcome` or the stream as a whole failed, with the remainder;
   * InvalidOptionError
   */
  produce(
    stream: string | StreamDefinition,
    events: Iterable<NewEvent> | AsyncIterable<NewEvent>,
    options?: ProduceOptions<NewEvent>,
  ): Promise<ProduceReport<NewEvent>>
  /**
   * Sends messages to a queue of the application, in the same way: a send whose outcome got lost is sent again and
   * stored once, as long as the answer comes within the queue's deduplication window.
   *
   * @throws RemoteError as `append`, InvalidEventError for data that is not JSON
   */
  send(
    queue: string | QueueDefinition,
    messages: NewMessage | readonly NewMessage[],
  ): Promise<readonly SendOutcome[]>
  /** Resolves when what was appended before has its outcome. Later appends are refused with EngineClosedError. */
  close(): Promise<void>
}

/**
 * Connects to a running `eddy start`.
 *
 * @example
 * const eddy = await connect('http://127.0.0.1:4010')
 * await eddy.append('orders', { key: 'customer-7', data: { total: 12 } })
 * await eddy.close()
 * @throws ConnectionError nothing answers there
 */
export async function connect(url: string, options: ConnectOptions = {}): Promise<RemoteProducer> {
  if (!/^https?:\/\//.test(url)) {
    throw new InvalidOptionError('url', 'an address such as http://127.0.0.1:4010', url)
  }
  const { giveUpAfterMs = 60_000, token, backoff } = options
  if (!(giveUpAfterMs >= 1_000)) {
    throw new InvalidOptionError('giveUpAfterMs', '1000 or more milliseconds', giveUpAfterMs)
  }
  const transport = new Transport({ url, ...(token === undefined ? {} : { token }) })
  await transport.text({ method: 'GET', path: '/healthz' })
  const producing = {
    giveUpAfterMs,
    maxTries: MAX_TRIES,
    ...(backoff !== undefined && { initialDelayMs: backoff.initialMs, maxDelayMs: backoff.maxMs }),
  }
  const events = createProducer(new HttpLog(transport), producing)
  const messages = createProducer(new HttpQueueLog(transport), producing)
  const calls = new OpenCalls()
  return {
    url: transport.url,
    append: (stream, given) => calls.run(() => events.append(nameOf(stream), listOf(given))),
    produce: (stream, source, produceOptions) =>
      calls.run(() => events.produce(nameOf(stream), source, produceOptions)),
    send: (queue, given) => calls.run(() => sendMessages(messages, nameOf(queue), listOf(given))),
    close: () => calls.close(),
  }
}

/** What is under way when a producer is closed is waited for. */
class OpenCalls {
  readonly #open = new Set<Promise<unknown>>()
  #isClosed = false

  /** @throws EngineClosedError after `close` */
  async run<T>(call: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new EngineClosedError()
    const running = call()
    this.#open.add(running)
    try {
      return await running
    } finally {
      this.#open.delete(running)
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.allSettled([...this.#open])
  }
}

function nameOf(target: string | { readonly name: string }): string {
  return typeof target === 'string' ? target : target.name
}

function listOf<T>(given: T | readonly T[]): readonly T[] {
  return Array.isArray(given) ? (given as readonly T[]) : [given as T]
}
