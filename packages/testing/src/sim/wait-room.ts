/** Who waits for something to change, by what they wait for. */
export class WaitRoom {
  readonly #waiting = new Map<string, Set<() => void>>()

  /** Calls `wake` at each change until the returned function is called. */
  enter(channel: string, wake: () => void): () => void {
    const waiting = this.#waiting.get(channel) ?? new Set()
    this.#waiting.set(channel, waiting)
    waiting.add(wake)
    return () => {
      waiting.delete(wake)
      if (waiting.size === 0 && this.#waiting.get(channel) === waiting) this.#waiting.delete(channel)
    }
  }

  wakeAll(channel: string): void {
    for (const wake of [...(this.#waiting.get(channel) ?? [])]) wake()
  }
}
