import type { LedgerItem } from '../model/ledger-item.ts'
import { afterPosition } from '../model/position.ts'
import { persist } from '../runtime/stop-signal.ts'
import type { RequeueRequest, RequeueResult } from '../runtime/subscription-control.ts'
import type { SubscriptionParts } from '../runtime/subscription-parts.ts'
import { type ItemPlace, placeOf } from './item-place.ts'
import { laneName, shardLaneName } from './lane.ts'
import type { LaneDrain } from './lane-drain.ts'
import { isFinal, type LedgerEntry } from './ledger.ts'
import type { ShardGate } from './shard-gate.ts'
import { itemToken, laneToken } from './tokens.ts'

/** What a person asked for enters here: redrives, and the news that an item was decided upon. */
export class Requeue {
  readonly #parts: SubscriptionParts
  readonly #gate: ShardGate
  readonly #drain: LaneDrain

  constructor(parts: SubscriptionParts, gate: ShardGate, drain: LaneDrain) {
    this.#parts = parts
    this.#gate = gate
    this.#drain = drain
  }

  /** In its place: its key (or shard) is held, and it is among what waits there. */
  async isInPlace(item: LedgerItem): Promise<boolean> {
    return (await this.#placeOf(item)) !== undefined
  }

  async wouldRunOutOfOrder(item: LedgerItem): Promise<boolean> {
    return this.#parts.policy.failure.blocks !== 'nothing' && !(await this.isInPlace(item))
  }

  /** One conditional write, then a token: done again after a crash in between, it queues nothing twice (I8). */
  async requeue(entry: LedgerEntry, request: RequeueRequest): Promise<RequeueResult> {
    const { engine, ledger, stopping, logger } = this.#parts
    const { item } = entry
    if (item.redrives.at(-1)?.jobId === request.jobId) {
      // Written before a crash: its place may not have been kept yet, nor its token sent.
      const isUntouched = item.status === 'retrying' && item.claimedBy === undefined && item.deliveries === 0
      const placed = !isUntouched || item.outOfOrder === true || (await this.#keepPlace(entry, request))
      if (!placed) return { kind: 'refused', reason: 'out-of-order' }
      if (!isFinal(item)) await this.nudge(item)
      return { kind: 'already' }
    }
    const isWaitingForPerson = item.status === 'held' && item.parked === true
    if (item.status !== 'dead' && item.status !== 'archived' && !isWaitingForPerson)
      return { kind: 'refused', reason: 'not-dead' }
    const outOfOrder = await this.wouldRunOutOfOrder(item)
    if (outOfOrder && !request.allowOutOfOrder) return { kind: 'refused', reason: 'out-of-order' }
    const nowMs = engine.clock.now()
    const {
      parked: _parked,
      reason: _reason,
      claimedBy: _by,
      claimedUntilMs: _until,
      crashes: _crashes,
      cutting: _cutting,
      outOfOrder: _late,
      ...rest
    } = item
    const next: LedgerItem = {
      ...rest,
      status: 'retrying',
      dueAtMs: nowMs,
      deliveries: 0,
      budgetFrom: { attempts: item.attempts, sinceMs: nowMs },
      redrives: [...item.redrives, { jobId: request.jobId, by: request.by, atMs: nowMs }].slice(-20),
      updatedAtMs: nowMs,
      statusAtMs: nowMs,
      ...(outOfOrder && { outOfOrder: true }),
    }
    // Before and after: whoever looked at the lane before this write, and has not begun with what it found, looks again.
    this.#reopen(item)
    const written = await persist(engine.clock, stopping, logger, 'redriving an event', () =>
      ledger.replace(entry, next),
    )
    if (!written.ok) {
      return written.current === undefined
        ? { kind: 'refused', reason: 'not-dead' }
        : await this.requeue(written.current, request)
    }
    this.#reopen(item)
    const placed = outOfOrder || isWaitingForPerson || (await this.#keepPlace(written.entry, request))
    if (!placed) return { kind: 'refused', reason: 'out-of-order' }
    await this.nudge(next)
    return { kind: 'queued', item: next }
  }

  /**
   * A dead item that goes back into a held lane: whoever found nothing left to do there, and is about to release it,
   * must look again. When the release came first, the item is late after all.
   *
   * @returns false when that was not agreed to: the item is dead as before
   */
  async #keepPlace(requeued: LedgerEntry, request: RequeueRequest): Promise<boolean> {
    const { holds, ledger, engine, stopping, logger, policy } = this.#parts
    const { item } = requeued
    for (;;) {
      const place = await this.#placeOf(item)
      if (place === undefined) break
      const { name, entry } = place
      const touched = await persist(engine.clock, stopping, logger, 'redriving an event', () =>
        holds.touch(name, entry),
      )
      if (touched.ok) return true
    }
    if (policy.failure.blocks === 'nothing') return true
    const { dueAtMs: _due, ...rest } = item
    const late: LedgerItem = request.allowOutOfOrder
      ? { ...item, outOfOrder: true }
      : {
          ...rest,
          status: 'dead',
          reason: 'its key flowed on while it was redriven',
          redrives: item.redrives.slice(0, -1),
        }
    await persist(engine.clock, stopping, logger, 'redriving an event', () => ledger.replace(requeued, late))
    return request.allowOutOfOrder
  }

  /** Sends the token that makes somebody look at the item, and wakes a shard that waits for it. */
  async nudge(item: LedgerItem): Promise<void> {
    const { engine, tokens, holds, stopping, logger } = this.#parts
    this.#reopen(item)
    this.#gate.wake(item.shardId)
    const place = item.outOfOrder === true ? undefined : await placeOf(holds, item, { fresh: true })
    // The shard that waits for it was woken.
    if (place?.kind === 'shard') return
    if (place === undefined && isFinal(item)) return
    const token = place === undefined ? itemToken(item) : laneToken(item)
    await persist(engine.clock, stopping, logger, 'sending a retry token', () =>
      tokens.send(token, undefined),
    )
  }

  /** Where the item would be handled in its turn. */
  async #placeOf(item: LedgerItem): Promise<ItemPlace | undefined> {
    const place = await placeOf(this.#parts.holds, item, { fresh: true })
    // What a cut has doomed would be dead-lettered again.
    const cut = place?.entry.hold.cut
    return cut === undefined || item.position > afterPosition(cut) ? place : undefined
  }

  #reopen(item: LedgerItem): void {
    this.#drain.reopened(laneName(item))
    this.#drain.reopened(shardLaneName(item.shardId))
  }
}
