import type { KinesisClient } from '@aws-sdk/client-kinesis'
import { type EddyError, EngineClosedError, InvalidOptionError, ThrottledError } from '@eddy/core'
import { sdkErrorOf } from '../sdk/sdk-error.ts'
import { classifyError } from './classify-error.ts'
import { KinesisUnavailableError } from './kinesis-errors.ts'

/** Five calls a second are the least that Kinesis allows of anything. */
const RETRY_AFTER_MS = 200

/**
 * Every request to Kinesis, sent once and given up in time. Nothing here sends a request again; who does:
 *
 * | What failed | Who tries again |
 * | --- | --- |
 * | An entry of PutRecords, or the whole of it | the producer (`produce/stream-writer.ts`), in the order of keys |
 * | GetRecords, GetShardIterator: throttled or unanswered | the reader of the shard (`consume/shard-reads.ts`), at its pace |
 * | GetRecords with an expired iterator | `KinesisReader`, once, with a new iterator |
 * | SubscribeToShard and its events | `ShardSubscription`, five seconds later |
 * | Describing, listing, splitting, creating | whoever asked: a start, a look at a shard's end, a person |
 * | All of these | never the SDK: its client has `maxAttempts: 1` |
 */
export class KinesisCalls {
  readonly client: KinesisClient
  readonly #timeoutMs: number
  #sendsOnce = false
  #isClosed = false
  /** When Kinesis said anything last, on the clock that never falls. */
  #answeredAtMs = Number.NEGATIVE_INFINITY

  /** @throws InvalidOptionError */
  constructor(client: KinesisClient, timeoutMs: number) {
    if (!(timeoutMs >= 100 && timeoutMs <= 300_000))
      throw new InvalidOptionError('requestTimeoutMs', '100 to 300,000 milliseconds', timeoutMs)
    this.client = client
    this.#timeoutMs = timeoutMs
  }

  /** Calls made from now on are refused by name. The client stays open. */
  close(): void {
    this.#isClosed = true
  }

  /**
   * Rejects with what the SDK rejects with.
   * @throws EngineClosedError; InvalidOptionError for a client that sends requests again by itself
   */
  async send<T>(call: (client: KinesisClient, signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new EngineClosedError()
    await this.#refuseRetrying()
    const timeout = new AbortController()
    const beganAtMs = performance.now()
    const timer = setTimeout(() => {
      timeout.abort()
      if (this.#answeredAtMs < beganAtMs) this.#leaveConnection()
    }, this.#timeoutMs)
    try {
      const answer = await call(this.client, timeout.signal)
      this.#answeredAtMs = performance.now()
      return answer
    } catch (error) {
      if (sdkErrorOf(error).status !== undefined) this.#answeredAtMs = performance.now()
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  /**
   * Requests share connections of HTTP/2, and the SDK keeps these whatever becomes of them: one whose other end has gone
   * without a word would swallow them until TCP gives it up, a quarter of an hour later. The next request makes a new one.
   */
  #leaveConnection(): void {
    const { requestHandler } = this.client.config
    if (requestHandler.metadata?.handlerProtocol === 'h2') requestHandler.destroy?.()
  }

  /**
   * @param what - `ListShards on stream "orders"`
   * @throws ThrottledError, KinesisUnavailableError, KinesisRefusedError, InvalidOptionError
   */
  async ask<T>(what: string, call: (client: KinesisClient, signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      return await this.send(call)
    } catch (error) {
      throw kinesisErrorOf(error, what)
    }
  }

  /** Two layers that both send again would send as many times as their product, and out of order. */
  async #refuseRetrying(): Promise<void> {
    if (this.#sendsOnce) return
    const attempts = await this.client.config.maxAttempts()
    if (attempts !== 1)
      throw new InvalidOptionError(
        'client',
        'a KinesisClient with maxAttempts: 1',
        `maxAttempts: ${attempts}`,
      )
    this.#sendsOnce = true
  }
}

/**
 * The operating error that an error of the SDK stands for; any other one as it is.
 * @param retryAfterMs - for a throttle, of which Kinesis does not say how long it lasts
 */
export function kinesisErrorOf(
  thrown: unknown,
  what: string,
  retryAfterMs: number = RETRY_AFTER_MS,
): EddyError | unknown {
  const refusal = classifyError(thrown, what)
  switch (refusal?.kind) {
    case undefined:
      return thrown
    case 'throttled':
      return new ThrottledError(what, retryAfterMs)
    case 'internal':
      return new KinesisUnavailableError(what, refusal.message, { cause: thrown })
    case 'error':
      return refusal.error
  }
}

/** The SDK's name of an error, such as `ResourceNotFoundException`. */
export function nameOfError(thrown: unknown): string | undefined {
  const { name } = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as {
    readonly name?: unknown
  }
  return typeof name === 'string' ? name : undefined
}
