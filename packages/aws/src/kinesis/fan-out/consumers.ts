import { DescribeStreamConsumerCommand, RegisterStreamConsumerCommand } from '@aws-sdk/client-kinesis'
import { type Clock, isEddyError } from '@eddy/core'
import { kinesisErrorOf, nameOfError } from '../kinesis-calls.ts'
import { KinesisUnavailableError } from '../kinesis-errors.ts'
import type { KinesisParts } from '../kinesis-producer-log.ts'

/** Kinesis takes five registrations a second, and five at a time that are not done. */
const LOOK_EVERY_MS = 500
const MAX_WAIT_MS = 300_000
const DESCRIBED_FOR_MS = 55_000

/**
 * The registered consumers of streams: found where a deployment made them, registered where nobody did, once, whichever
 * process is first. One registration at a time.
 */
export class Consumers {
  readonly #parts: KinesisParts
  readonly #clock: Clock
  readonly #arns = new Map<string, Promise<string>>()
  #last: Promise<unknown> = Promise.resolve()

  constructor(parts: KinesisParts, clock: Clock) {
    this.#parts = parts
    this.#clock = clock
  }

  /**
   * The consumer's ARN, once it is active: up to five minutes.
   * @throws StreamNotFoundError, ThrottledError, KinesisUnavailableError, KinesisRefusedError
   */
  async arnOf(stream: string, name: string, signal: AbortSignal): Promise<string> {
    const key = keyOf(stream, name)
    let arn = this.#arns.get(key)
    if (arn === undefined) {
      arn = this.#inTurn(() => this.#find(stream, name, signal))
      this.#arns.set(key, arn)
      arn.catch(() => this.#arns.delete(key))
    }
    return await arn
  }

  /** It is looked for again: somebody has removed it. */
  forget(stream: string, name: string): void {
    this.#arns.delete(keyOf(stream, name))
  }

  async #inTurn(find: () => Promise<string>): Promise<string> {
    const turn = this.#last.then(find)
    this.#last = turn.catch(() => {})
    return await turn
  }

  async #find(stream: string, name: string, signal: AbortSignal): Promise<string> {
    const { calls, summaries } = this.#parts
    const { StreamARN } = await summaries.describe(stream, DESCRIBED_FOR_MS)
    const input = { StreamARN, ConsumerName: name }
    const what = `consumer "${name}" of stream "${stream}"`
    const deadlineMs = this.#clock.monotonicMs() + MAX_WAIT_MS
    while (!signal.aborted && this.#clock.monotonicMs() < deadlineMs) {
      try {
        const { ConsumerDescription: found } = await calls.send((client, abortSignal) =>
          client.send(new DescribeStreamConsumerCommand(input), { abortSignal }),
        )
        if (found?.ConsumerStatus === 'ACTIVE' && found.ConsumerARN !== undefined) return found.ConsumerARN
      } catch (error) {
        if (nameOfError(error) !== 'ResourceNotFoundException') this.#tolerate(error, what)
        else await this.#register(input, what)
      }
      await this.#clock.sleep(LOOK_EVERY_MS, signal)
    }
    throw new KinesisUnavailableError(what, `not active within ${MAX_WAIT_MS / 60_000} minutes`)
  }

  async #register(
    input: { readonly StreamARN: string | undefined; readonly ConsumerName: string },
    what: string,
  ): Promise<void> {
    try {
      await this.#parts.calls.send((client, abortSignal) =>
        client.send(new RegisterStreamConsumerCommand(input), { abortSignal }),
      )
    } catch (error) {
      // Another process has just registered it.
      if (nameOfError(error) !== 'ResourceInUseException') this.#tolerate(error, what)
    }
  }

  /** Too many at once: there is room again in a moment. @throws for all else */
  #tolerate(error: unknown, what: string): void {
    const told = kinesisErrorOf(error, what)
    if (!isEddyError(told) || told.code !== 'EDDY_THROTTLED') throw told
  }
}

function keyOf(stream: string, name: string): string {
  return `${stream} ${name}`
}
