import type { Position } from '../model/position.ts'

interface Mark {
  /** The latest message that was taken in by then. */
  readonly position: Position
  readonly atMs: number
}

/**
 * Up to where every message that was taken in is gone from its queue. A queue has no checkpoint: what was taken in
 * before a moment is gone once the queue's oldest message became due after it.
 */
export class QueueProgress {
  /** A person removed everything up to here. */
  #purgedUpTo: Position | undefined
  #latest: Position | undefined
  #goneUpTo: Position | undefined
  #mark: Mark | undefined
  readonly #isUnderWay: (position: Position) => boolean

  /** @param isUnderWay - true for a message that is not acknowledged yet */
  constructor(purgedUpTo: Position | undefined, isUnderWay: (position: Position) => boolean) {
    this.#purgedUpTo = purgedUpTo
    this.#isUnderWay = isUnderWay
  }

  get latest(): Position | undefined {
    return this.#latest
  }

  taken(position: Position): void {
    if (this.#latest === undefined || this.#latest < position) this.#latest = position
  }

  /** It is due from now on: what was marked before says nothing of it. */
  givenBack(): void {
    this.#mark = undefined
  }

  purged(position: Position): void {
    if (this.#purgedUpTo === undefined || this.#purgedUpTo < position) this.#purgedUpTo = position
  }

  /** @param oldestDueAtMs - as the queue told after `nowMs` was read; undefined: nothing is due */
  look(nowMs: number, oldestDueAtMs: number | undefined): void {
    const mark = this.#mark
    if (mark !== undefined && (oldestDueAtMs === undefined || oldestDueAtMs > mark.atMs)) {
      this.#goneUpTo = mark.position
      this.#mark = undefined
    }
    if (this.#mark === undefined && this.#latest !== undefined)
      this.#mark = { position: this.#latest, atMs: nowMs }
  }

  /** True: no reader comes by with this message (again), if one ever did. */
  hasPassed(position: Position): boolean {
    if (this.#purgedUpTo !== undefined && position <= this.#purgedUpTo) return true
    return this.#goneUpTo !== undefined && position <= this.#goneUpTo && !this.#isUnderWay(position)
  }
}
