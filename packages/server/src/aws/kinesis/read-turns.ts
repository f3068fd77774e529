/**
 * Reads one after another, each in a turn of the event loop of its own. Those that come at once, pipelined or as streams of
 * one session, would each hold megabytes before one of their answers is counted, or refused and freed (I6).
 */
export class ReadTurns {
  #last: Promise<void> = Promise.resolve()

  next(): Promise<void> {
    this.#last = this.#last.then(() => new Promise((resolve) => setImmediate(resolve)))
    return this.#last
  }
}
