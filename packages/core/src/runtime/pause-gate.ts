/** A switch that a person turns: while it is paused nothing new is started; what runs goes on. */
export class PauseGate {
  #isPaused = false
  #isClosed = false
  #waiting: (() => void)[] = []
  readonly #listeners = new Set<() => void>()

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Paused, and not closed: nothing new may be started. */
  get isHolding(): boolean {
    return this.#isPaused && !this.#isClosed
  }

  /** @returns what ends it */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  pause(): void {
    this.#isPaused = true
    for (const listener of this.#listeners) listener()
  }

  resume(): void {
    this.#isPaused = false
    for (const listener of this.#listeners) listener()
    for (const go of this.#waiting.splice(0)) go()
  }

  /** Lets everybody go for good: whoever waited must look whether it is to stop. */
  close(): void {
    this.#isClosed = true
    for (const go of this.#waiting.splice(0)) go()
  }

  /** Resolves at once unless paused. */
  async wait(): Promise<void> {
    while (this.#isPaused && !this.#isClosed) {
      await new Promise<void>((go) => {
        this.#waiting.push(go)
      })
    }
  }
}
