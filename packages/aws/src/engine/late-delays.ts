import type { LongDelayedMessage, LongDelayOutcome, LongDelays } from '../sqs/index.ts'

/** Long delays that are opened with the first message that needs one. */
export class LateDelays implements LongDelays {
  /** EventBridge Scheduler's largest input. */
  readonly maxTextBytes: number = 262_144
  readonly #open: () => Promise<LongDelays>
  #opened: Promise<LongDelays> | undefined

  constructor(open: () => Promise<LongDelays>) {
    this.#open = open
  }

  /** Now, so that what is missing comes up at a start. */
  opened(): Promise<LongDelays> {
    this.#opened ??= this.#open().catch((error: unknown) => {
      this.#opened = undefined
      throw error
    })
    return this.#opened
  }

  async send(message: LongDelayedMessage): Promise<LongDelayOutcome> {
    return (await this.opened()).send(message)
  }

  async cancel(namePrefix: string): Promise<number> {
    return (await this.opened()).cancel(namePrefix)
  }

  async count(namePrefix: string): Promise<number> {
    return (await this.opened()).count(namePrefix)
  }
}
