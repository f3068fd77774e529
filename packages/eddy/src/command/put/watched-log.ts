import {
  type AppendEntry,
  type AppendResult,
  type EddyError,
  isEddyError,
  type ProducerLog,
  type ShardInfo,
  type StreamInfo,
} from '@eddy/core'

/** A log, and what a person wants to know of its troubles. */
export class WatchedLog implements ProducerLog {
  readonly keepsKeyOrder: boolean
  readonly dropsCopies: boolean
  readonly takesEventsAlone: boolean
  readonly #log: ProducerLog
  #mayHaveStored = false
  #trouble: string | undefined
  #refusal: EddyError | undefined

  constructor(log: ProducerLog) {
    this.#log = log
    this.keepsKeyOrder = log.keepsKeyOrder
    this.dropsCopies = log.dropsCopies
    this.takesEventsAlone = log.takesEventsAlone === true
  }

  /** Something was stored, or may have been. */
  get mayHaveStored(): boolean {
    return this.#mayHaveStored
  }

  /** The log refused a whole request for good, such as for a stream that is not there: no line is to blame. */
  get refusal(): EddyError | undefined {
    return this.#refusal
  }

  /** Why nothing gets through at the moment; undefined while something does. */
  get trouble(): string | undefined {
    return this.#trouble
  }

  async append(stream: string, entries: readonly AppendEntry[]): Promise<readonly AppendResult[]> {
    try {
      const results = await this.#log.append(stream, entries)
      const stored = results.some((result) => result.ok)
      const failed = results.find((result) => !result.ok)
      if (stored) this.#mayHaveStored = true
      this.#trouble = stored || failed === undefined || failed.ok ? undefined : failed.message
      return results
    } catch (error) {
      if (isEddyError(error) && error.retryable) this.#mayHaveStored = true
      throw this.#noted(error)
    }
  }

  async listShards(stream: string): Promise<readonly ShardInfo[]> {
    try {
      return await this.#log.listShards(stream)
    } catch (error) {
      throw this.#noted(error)
    }
  }

  async describeStream(stream: string): Promise<Pick<StreamInfo, 'limits'>> {
    try {
      return await this.#log.describeStream(stream)
    } catch (error) {
      throw this.#noted(error)
    }
  }

  #noted(error: unknown): unknown {
    this.#trouble = error instanceof Error ? error.message : String(error)
    if (isEddyError(error) && !error.retryable) this.#refusal = error
    return error
  }
}
