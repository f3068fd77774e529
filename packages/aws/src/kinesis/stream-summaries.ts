import { DescribeStreamSummaryCommand, type StreamDescriptionSummary } from '@aws-sdk/client-kinesis'
import { StreamNotFoundError } from '@eddy/core'
import { type KinesisCalls, kinesisErrorOf, nameOfError } from './kinesis-calls.ts'

const NEXT_STEP = 'Create the stream, or check its name, the region and the account.'

/** Of streams, so that a log that is asked about any name does not keep them all (I6). */
const MAX_KNOWN = 10_000

export interface StreamSummary extends StreamDescriptionSummary {
  /** Of the answer, on a clock that never falls. */
  readonly atMs: number
}

/**
 * What DescribeStreamSummary says of streams. Kinesis answers 20 of these a second in an account, which all processes
 * share: what was asked at the same time is asked once, and an answer counts for a while.
 */
export class StreamSummaries {
  readonly #calls: KinesisCalls
  readonly #nameOf: (stream: string) => string
  readonly #known = new Map<string, StreamSummary>()
  readonly #asked = new Map<string, Promise<StreamSummary>>()

  constructor(calls: KinesisCalls, nameOf: (stream: string) => string) {
    this.#calls = calls
    this.#nameOf = nameOf
  }

  known(stream: string): StreamSummary | undefined {
    return this.#known.get(stream)
  }

  /**
   * @param maxAgeMs - of an answer that is good enough
   * @throws StreamNotFoundError, and what `KinesisCalls.ask` throws
   */
  async describe(stream: string, maxAgeMs: number): Promise<StreamSummary> {
    const known = this.#known.get(stream)
    if (known !== undefined && performance.now() - known.atMs < maxAgeMs) return known
    let asked = this.#asked.get(stream)
    if (asked === undefined) {
      asked = this.#ask(stream)
      this.#asked.set(stream, asked)
    }
    const isLatest = (): boolean => this.#asked.get(stream) === asked
    try {
      const summary = await asked
      // What was asked before a change of this process says nothing of the time after it.
      if (isLatest() && summary.StreamStatus !== 'CREATING') this.#remember(stream, summary)
      return summary
    } finally {
      if (isLatest()) this.#asked.delete(stream)
    }
  }

  /** After a change that this process made. */
  forget(stream: string): void {
    this.#known.delete(stream)
    this.#asked.delete(stream)
  }

  #remember(stream: string, summary: StreamSummary): void {
    if (this.#known.size >= MAX_KNOWN) this.#known.clear()
    this.#known.set(stream, summary)
  }

  async #ask(stream: string): Promise<StreamSummary> {
    const command = new DescribeStreamSummaryCommand({ StreamName: this.#nameOf(stream) })
    try {
      const answer = await this.#calls.send((client, abortSignal) => client.send(command, { abortSignal }))
      const told = answer.StreamDescriptionSummary as StreamDescriptionSummary
      return { ...told, atMs: performance.now() }
    } catch (error) {
      throw streamErrorOf(error, stream, `DescribeStreamSummary on stream "${stream}"`)
    }
  }
}

/** As `kinesisErrorOf`, of a request that names a stream and nothing else that may be missing. */
export function streamErrorOf(thrown: unknown, stream: string, what: string): unknown {
  return nameOfError(thrown) === 'ResourceNotFoundException'
    ? new StreamNotFoundError(stream, NEXT_STEP)
    : kinesisErrorOf(thrown, what)
}
