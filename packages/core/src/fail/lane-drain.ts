import { afterPosition, type Position } from '../model/position.ts'
import { persist } from '../runtime/stop-signal.ts'
import type { SubscriptionParts } from '../runtime/subscription-parts.ts'
import { announce } from './announce.ts'
import type { HoldEntry } from './holds.ts'
import { isFinal, type LedgerEntry } from './ledger.ts'
import type { RetryPath } from './retry-path.ts'

/** Why the draining of a held lane stopped. */
export type DrainEnd =
  | { readonly kind: 'released' }
  | { readonly kind: 'wait'; readonly untilMs: number }
  /** A person must decide; their decision sends a token. */
  | { readonly kind: 'parked' }
  /** The tail's event is on its way into the ledger: look again soon. */
  | { readonly kind: 'soon' }
  /** The deadline leaves no time (rule 9): give the token back. */
  | { readonly kind: 'no-time' }
  | { readonly kind: 'given-back' }

interface Cursor {
  readonly lo: Position
  from: Position
}

/** Beyond it, the lanes that were looked at longest ago begin at their start again (I6). */
const MAX_CURSORS = 10_000

/** Most lanes have one event waiting; a long one is read in growing pages. */
const FIRST_PAGE = 2
const MAX_PAGE = 256

/**
 * Rules 6 to 8 of the hold protocol: handles a held lane's waiting events in order, and opens the hold when none is
 * left. One drain a lane in this process; others elsewhere do no harm, since every write is conditional.
 */
export class LaneDrain {
  readonly #parts: SubscriptionParts
  readonly #retryPath: RetryPath
  /** Where in a lane the last look ended: everything before is done with. */
  readonly #cursors = new Map<string, Cursor>()

  constructor(parts: SubscriptionParts, retryPath: RetryPath) {
    this.#parts = parts
    this.#retryPath = retryPath
  }

  /** An event of the lane that was done with is to be handled again: the next look begins at the start. */
  reopened(name: string): void {
    this.#cursors.delete(name)
  }

  async drain(name: string, deadlineMs: number): Promise<DrainEnd> {
    for (;;) {
      const held = await this.#parts.holds.read(name)
      if (held === undefined || held.hold.state !== 'held') return { kind: 'released' }
      const next = await this.#earliestUnresolved(name, held)
      if (next === undefined) {
        const end = await this.#release(name, held)
        if (end !== undefined) return end
        continue
      }
      const end = await this.#step(name, held, next, deadlineMs)
      if (end !== undefined) return end
    }
  }

  /** Undefined: look again. */
  async #step(
    name: string,
    held: HoldEntry,
    next: LedgerEntry,
    deadlineMs: number,
  ): Promise<DrainEnd | undefined> {
    const { item } = next
    if (held.hold.cut !== undefined && item.position <= afterPosition(held.hold.cut)) {
      await this.giveUp(next)
      return undefined
    }
    if (item.cutting === true) {
      // The cut comes first: dead before cut, and a crash would let the doomed tail run.
      await this.#persist('cutting a key', () => this.#parts.holds.cut(name, held))
      return undefined
    }
    if (item.parked === true) return { kind: 'parked' }
    const end = await this.#retryPath.tryItem(next, deadlineMs, async () => {
      const first = await this.#earliestUnresolved(name, held)
      return first?.version === next.version && first.item.id === item.id
    })
    return end.kind === 'look-again' ? undefined : end
  }

  /** The key's earliest event between `lo` and `tail` that nobody is done with, edits of them included. */
  async #earliestUnresolved(name: string, held: HoldEntry): Promise<LedgerEntry | undefined> {
    const { lo, tail, laneId } = held.hold
    const to = afterPosition(tail)
    const known = this.#cursors.get(name)
    let from = known?.lo === lo ? known.from : lo
    const cursor = { lo, from }
    this.#remember(name, cursor)
    for (let limit = FIRST_PAGE; ; limit = Math.min(MAX_PAGE, limit * 4)) {
      const page = await this.#parts.ledger.range(laneId, from, to, limit)
      const found = page.find((entry) => !isFinal(entry.item))
      // `range` includes its bounds: the last one comes again, and is final.
      from = (found ?? page.at(-1))?.item.position ?? from
      // Unless a redrive has reopened the lane meanwhile.
      if (this.#cursors.get(name) === cursor) cursor.from = from
      if (found !== undefined || page.length < limit) return found
    }
  }

  #remember(name: string, cursor: Cursor): void {
    this.#cursors.delete(name)
    this.#cursors.set(name, cursor)
    if (this.#cursors.size <= MAX_CURSORS) return
    const oldest = this.#cursors.keys().next().value
    if (oldest !== undefined) this.#cursors.delete(oldest)
  }

  /** Rule 8. Undefined: the hold changed meanwhile, look again. */
  async #release(name: string, held: HoldEntry): Promise<DrainEnd | undefined> {
    const { ledger, holds, metrics, checkpointPassed } = this.#parts
    const { tail, laneId, shardId } = held.hold
    // The tail is written before its ledger item (rule 4): without the item, its reader is between the two, or will
    // come by again, unless its checkpoint is past it.
    const last = await ledger.get(laneId, tail)
    if (last === undefined && !checkpointPassed(shardId, tail)) return { kind: 'soon' }
    // It came into the ledger after the look that found nothing.
    if (last !== undefined && !isFinal(last.item)) return undefined
    const released = await this.#persist('releasing a key', () => holds.release(name, held))
    if (released.ok) return { kind: 'released' }
    metrics.racedReleases += 1
    return undefined
  }

  /** Dead-letters an event whose tries are used up, or that waits behind such a one and goes with it. */
  async giveUp(entry: LedgerEntry): Promise<void> {
    const { engine, ledger } = this.#parts
    const nowMs = engine.clock.now()
    const {
      cutting,
      dueAtMs: _due,
      claimedBy: _by,
      claimedUntilMs: _until,
      parked: _parked,
      ...item
    } = entry.item
    const reason =
      cutting === true
        ? (item.reason ?? 'its tries are used up')
        : 'dead-lettered with an earlier event of its key'
    const dead = { ...item, status: 'dead' as const, reason, updatedAtMs: nowMs, statusAtMs: nowMs }
    const written = await this.#persist('dead-lettering a key', () => ledger.replace(entry, dead))
    if (written.ok) announce(this.#parts, dead)
  }

  #persist<T>(what: string, step: () => Promise<T>): Promise<T> {
    return persist(this.#parts.engine.clock, this.#parts.stopping, this.#parts.logger, what, step)
  }
}
