import { ServerBusyError } from '@eddy/core'

/** Counts the server-sent event streams that are open, and bounds them (I6). */
export class EventStreams {
  readonly #limit: number
  #open = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  get open(): number {
    return this.#open
  }

  /** Takes a place; the function gives it back, once. @throws ServerBusyError (EDDY_SERVER_BUSY) */
  enter(): () => void {
    if (this.#open >= this.#limit) {
      throw new ServerBusyError(`${this.#limit} event streams are open`, { limit: this.#limit })
    }
    this.#open += 1
    let left = false
    return () => {
      if (!left) this.#open -= 1
      left = true
    }
  }
}
