import { Stopped } from '../runtime/stop-signal.ts'

/** While both wait, every fourth free slot goes to a retry: live first, and retries cannot starve. */
const LIVE_PER_RETRY = 3

/** The in-flight limit of a subscription, shared by first attempts and retries. */
export class Slots {
  #limit: number
  /** Below 0 after the limit was lowered, until enough handlers are done. */
  #free: number
  readonly #retries: { readonly grant: () => void; readonly refuse: (reason: Error) => void }[] = []
  #liveInARow = 0
  #closed = false
  #onFree: () => void = () => {}

  constructor(limit: number) {
    this.#limit = limit
    this.#free = limit
  }

  /** Another limit from now on. Handlers above a lower one go on; none is begun until they are fewer. */
  resize(limit: number): void {
    const more = limit - this.#limit
    this.#limit = limit
    this.#free += more
    if (more > 0) this.#offer()
  }

  /** Retries that wait for a slot. */
  get waitingRetries(): number {
    return this.#retries.length
  }

  /** Called when a slot may be free for a first attempt. */
  onFree(listener: () => void): void {
    this.#onFree = listener
  }

  /** A slot for a first attempt, if one is free and it is not a retry's turn. */
  takeLive(): boolean {
    if (this.#free <= 0) return false
    if (this.#retries.length > 0 && this.#liveInARow >= LIVE_PER_RETRY) this.#grantRetry()
    if (this.#free <= 0) return false
    this.#free -= 1
    this.#liveInARow += 1
    return true
  }

  /**
   * Waits for a slot for a retry.
   * @returns true when it had to wait: what was seen before may have changed
   * @throws Stopped once `close` was called
   */
  async takeRetry(): Promise<boolean> {
    if (this.#closed) throw new Stopped()
    if (this.#free > 0 && this.#retries.length === 0) {
      this.#free -= 1
      this.#liveInARow = 0
      return false
    }
    await new Promise<void>((grant, refuse) => {
      this.#retries.push({ grant, refuse })
    })
    return true
  }

  give(): void {
    this.#free += 1
    this.#offer()
  }

  /** No slot for a retry any more: what waits in the ledger is not begun while the process stops. */
  close(): void {
    this.#closed = true
    for (const waiting of this.#retries.splice(0)) waiting.refuse(new Stopped())
  }

  #offer(): void {
    this.#onFree()
    // The live path took what it wanted; what is left goes to retries.
    while (this.#free > 0 && this.#retries.length > 0) this.#grantRetry()
  }

  #grantRetry(): void {
    const waiting = this.#retries.shift()
    if (waiting === undefined) return
    this.#free -= 1
    this.#liveInARow = 0
    waiting.grant()
  }
}
