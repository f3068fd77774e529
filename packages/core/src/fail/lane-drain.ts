import { afterPosition, type Position } from '../model/position.ts'
import { persist } from '../runtime/stop-signal.ts'
import type { SubscriptionParts } from '../runtime/subscription-parts.ts'
import { announce } from './announce.ts'
import type { HoldEntry } from './hold.ts'
import { isFinal, type LedgerEntry } from './ledger.ts'
import type { LaneTurn, RetryPath } from './retry-path.ts'

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
  /** Of the hold, when the look began. */
  readonly reopened: number | undefined
  from: Position
}

interface FirstWaiting {
  readonly entry: LedgerEntry
  /** Nothing waits behind it. */
  readonly isLast: boolean
  /** Replaced or gone: somebody looked, or reopened the lane, since. */
  readonly cursor: Cursor
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
      const held = await this.#held(name)
      if (held === undefined) return { kind: 'released' }
      const first = await this.#earliestUnresolved(name, held)
      const end =
        first === undefined
          ? await this.#release(name, held)
          : await this.#step(name, held, first, deadlineMs)
      if (end !== undefined) return end
    }
  }

  /**
   * What is remembered may be old: every write says so. Only that nothing is held is worth a read, and among several
   * processes that a person sent an earlier event again in its place.
   */
  async #held(name: string): Promise<HoldEntry | undefined> {
    const { holds, owner } = this.#parts
    const known = owner.isShared ? undefined : await holds.lookup(name)
    const held = known?.hold.state === 'held' ? known : await holds.read(name)
    return held?.hold.state === 'held' ? held : undefined
  }

  /** Undefined: look again. */
  async #step(
    name: string,
    held: HoldEntry,
    first: FirstWaiting,
    deadlineMs: number,
  ): Promise<DrainEnd | undefined> {
    const { item } = first.entry
    if (held.hold.cut !== undefined && item.position <= afterPosition(held.hold.cut)) {
      // A person sent it out of order, and its handler runs: given up now, it could be sent again beside itself (I3).
      const underWayUntilMs = this.#retryPath.underWayUntilMs(item)
      if (underWayUntilMs !== undefined) return { kind: 'wait', untilMs: underWayUntilMs }
      await this.giveUp(first.entry)
      return undefined
    }
    if (item.cutting === true) {
      // The cut comes first: dead before cut, and a crash would let the doomed tail run.
      await this.#persist('cutting a key', () => this.#parts.holds.cut(name, held))
      return undefined
    }
    if (item.parked === true) return { kind: 'parked' }
    const end = await this.#retryPath.tryItem(first.entry, deadlineMs, this.#turn(name, held, first))
    if (end.kind === 'look-again') return undefined
    if (end.kind !== 'settled') return end
    if (end.released) return this.#released(name)
    const { status, dueAtMs } = end.item
    return status === 'retrying' && dueAtMs !== undefined ? { kind: 'wait', untilMs: dueAtMs } : undefined
  }

  #turn(name: string, held: HoldEntry, first: FirstWaiting): LaneTurn {
    const isUndisturbed = (): boolean => this.#cursors.get(name) === first.cursor
    return {
      isStillFirst: async () =>
        isUndisturbed() &&
        (!this.#parts.owner.isShared || (await this.#held(name))?.hold.reopened === held.hold.reopened),
      // The tail's own item, and behind it nothing. What comes to wait later raises the tail first: then the release is
      // refused.
      planRelease: () =>
        first.isLast && first.entry.item.position === held.hold.tail && isUndisturbed()
          ? this.#parts.holds.planRelease(name, held)
          : undefined,
    }
  }

  /** The key's earliest event between `lo` and `tail` that nobody is done with, edits of them included. */
  async #earliestUnresolved(name: string, held: HoldEntry): Promise<FirstWaiting | undefined> {
    const { lo, tail, laneId, reopened } = held.hold
    const to = afterPosition(tail)
    const known = this.#cursors.get(name)
    let from = known?.lo === lo && known.reopened === reopened ? known.from : lo
    const cursor = { lo, reopened, from }
    this.#remember(name, cursor)
    // Most lanes: the one event that failed. An edit behind it gives up when its original is handled instead.
    const only = lo === tail ? await this.#parts.ledger.get(laneId, lo) : undefined
    if (only !== undefined && !isFinal(only.item)) return { entry: only, isLast: true, cursor }
    for (let limit = FIRST_PAGE; ; limit = Math.min(MAX_PAGE, limit * 4)) {
      const page = await this.#parts.ledger.range(laneId, from, to, limit)
      const found = page.findIndex((entry) => !isFinal(entry.item))
      const entry = page[found]
      // `range` includes its bounds: the last one comes again, and is final.
      from = (entry ?? page.at(-1))?.item.position ?? from
      // Unless a redrive has reopened the lane meanwhile.
      if (this.#cursors.get(name) === cursor) cursor.from = from
      const isWhole = page.length < limit
      if (entry !== undefined) return { entry, isLast: isWhole && found === page.length - 1, cursor }
      if (isWhole) return undefined
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
    const { tail, laneId, shardId, updatedAtMs } = held.hold
    // The tail is written before its ledger item (rule 4): without the item, its reader is between the two, or will
    // come by again, unless its checkpoint is past it.
    const last = await ledger.get(laneId, tail)
    if (last === undefined && !(await checkpointPassed(shardId, tail, updatedAtMs))) return { kind: 'soon' }
    // It came into the ledger after the look that found nothing.
    if (last !== undefined && !isFinal(last.item)) return undefined
    const released = await this.#persist('releasing a key', () => holds.release(name, held))
    if (released.ok) return this.#released(name)
    metrics.racedReleases += 1
    return undefined
  }

  #released(name: string): DrainEnd {
    this.#cursors.delete(name)
    return { kind: 'released' }
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
