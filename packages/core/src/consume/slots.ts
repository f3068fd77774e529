import type { Protection } from '../protect/protection.ts'
import type { StartKind } from '../protect/start-limits.ts'
import { Stopped } from '../runtime/stop-signal.ts'

/** While both wait, every fourth start goes to a retry: live first, and retries cannot starve. */
const LIVE_PER_RETRY = 3

/** A slot for one handler at a time. */
export interface Slot {
  /** It had to be waited for: what was seen before may have changed. */
  readonly hasWaited: boolean
  /** Of the breaker, when it was taken; `give` wants it back. */
  readonly phase: number
}

interface Waiting {
  readonly kind: StartKind
  readonly order: number
  /** Undefined: not now, the breaker has opened. */
  readonly answer: (slot: Slot | undefined) => void
  readonly refuse: (reason: Error) => void
}

/**
 * The one gate of a subscription's handler, for first attempts and retries: its in-flight limit, and whatever else
 * protects the downstream.
 */
export class Slots {
  readonly #protection: Protection
  #limit: number
  /** Each in the order of their coming. Retries by policy have limits of their own, that must not keep others waiting. */
  readonly #retries: Waiting[] = []
  readonly #others: Waiting[] = []
  #used = 0
  #phase = 0
  #usedInPhase = 0
  #order = 0
  #liveInARow = 0
  #closed = false
  #onFree: () => void = () => {}

  constructor(limit: number, protection: Protection) {
    this.#limit = limit
    this.#protection = protection
    protection.onPossible(() => this.pump())
    protection.onChange(() => this.#sendAway())
  }

  /** Another limit from now on. Handlers above a lower one go on; none is begun until they are fewer. */
  resize(limit: number): void {
    this.#limit = limit
    this.pump()
  }

  /** Retries that wait for a slot. */
  get waitingRetries(): number {
    return this.#retries.length + this.#others.length
  }

  /** The breaker's state that a slot taken now belongs to. */
  get phase(): number {
    return this.#protection.phase
  }

  /** Called when a slot may be free for a first attempt. */
  onFree(listener: () => void): void {
    this.#onFree = listener
  }

  /** A slot for a first attempt, if one is free, it is not a retry's turn and nothing protects the downstream from it. */
  takeLive(): boolean {
    if (!this.#hasRoom()) return false
    if (this.waitingRetries > 0 && this.#liveInARow >= LIVE_PER_RETRY) {
      this.#grantRetry()
      if (!this.#hasRoom()) return false
    }
    if (!this.#protection.take('first')) {
      this.#protection.wakeWhenStartable('first')
      return false
    }
    this.#use()
    this.#liveInARow += 1
    return true
  }

  /**
   * Waits for a slot for what comes from the ledger.
   * @returns undefined when the breaker has opened meanwhile: come again when it is closed
   * @throws Stopped once `close` was called
   */
  async takeRetry(kind: StartKind): Promise<Slot | undefined> {
    if (this.#closed) throw new Stopped()
    const line = kind === 'retry' ? this.#retries : this.#others
    if (line.length === 0 && this.#hasRoom()) {
      if (this.#protection.take(kind)) {
        this.#use()
        this.#liveInARow = 0
        return { hasWaited: false, phase: this.#phase }
      }
      this.#protection.wakeWhenStartable(kind)
    }
    return await new Promise<Slot | undefined>((answer, refuse) => {
      this.#order += 1
      line.push({ kind, order: this.#order, answer, refuse })
    })
  }

  /** @param phase - when the slot was taken */
  give(phase: number): void {
    this.#used -= 1
    if (phase === this.#phase) this.#usedInPhase -= 1
    this.pump()
  }

  /** Starts what may start. The live path takes what it wants; what is left goes to retries. */
  pump(): void {
    this.#onFree()
    while (this.waitingRetries > 0 && this.#hasRoom() && this.#grantRetry()) {
      // One after another, as far as they come.
    }
  }

  /** No slot for a retry any more: what waits in the ledger is not begun while the process stops. */
  close(): void {
    this.#closed = true
    for (const waiting of this.#waiting()) waiting.refuse(new Stopped())
  }

  /** Grants the one that came first, of those that nothing refuses. @returns false when there is none */
  #grantRetry(): boolean {
    const [retry, other] = [this.#retries[0], this.#others[0]]
    const isRetryFirst = retry !== undefined && (other === undefined || retry.order < other.order)
    const lines = isRetryFirst ? [this.#retries, this.#others] : [this.#others, this.#retries]
    return lines.some((line) => this.#grantFirst(line))
  }

  #grantFirst(line: Waiting[]): boolean {
    const [waiting] = line
    if (waiting === undefined) return false
    if (!this.#protection.take(waiting.kind)) {
      this.#protection.wakeWhenStartable(waiting.kind)
      return false
    }
    line.shift()
    this.#use()
    this.#liveInARow = 0
    waiting.answer({ hasWaited: true, phase: this.#phase })
    return true
  }

  /** While the breaker is open, retries wait in their queue, not here: what hides them there runs out. */
  #sendAway(): void {
    if (this.#protection.retriesPerSecond() > 0) return
    for (const waiting of this.#waiting()) waiting.answer(undefined)
  }

  #waiting(): Waiting[] {
    return [...this.#retries.splice(0), ...this.#others.splice(0)]
  }

  #hasRoom(): boolean {
    return this.#protection.hasRoom(this.#limit, this.#used, this.#inPhase)
  }

  readonly #inPhase = (phase: number): number => (phase === this.#phase ? this.#usedInPhase : 0)

  #use(): void {
    const { phase } = this.#protection
    if (phase !== this.#phase) {
      this.#phase = phase
      this.#usedInPhase = 0
    }
    this.#used += 1
    this.#usedInPhase += 1
  }
}
