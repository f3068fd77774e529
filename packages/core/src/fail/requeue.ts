import type { LedgerItem } from '../model/ledger-item.ts'
import { afterPosition } from '../model/position.ts'
import { persist } from '../runtime/stop-signal.ts'
import type { RequeueRequest, RequeueResult } from '../runtime/subscription-control.ts'
import type { SubscriptionParts } from '../runtime/subscription-parts.ts'
import { type HoldEntry, isWithin } from './holds.ts'
import { laneName, shardLaneName, shardOfLane } from './lane.ts'
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
    const entry = await this.#holdOf(item)
    if (!isWithin(entry, item)) return false
    // What a cut has doomed would be dead-lettered again.
    const cut = entry?.hold.cut
    return cut === undefined || item.position > afterPosition(cut)
  }

  async wouldRunOutOfOrder(item: LedgerItem): Promise<boolean> {
    return this.#parts.policy.failure.blocks !== 'nothing' && !(await this.isInPlace(item))
  }

  /** One conditional write, then a token: done again after a crash in between, it queues nothing twice (I8). */
  async requeue(entry: LedgerEntry, request: RequeueRequest): Promise<RequeueResult> {
    const { engine, ledger, stopping, logger } = this.#parts
    const { item } = entry
    if (item.redrives.at(-1)?.jobId === request.jobId) {
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
    const written = await persist(engine.clock, stopping, logger, 'redriving an event', () =>
      ledger.replace(entry, next),
    )
    if (!written.ok) {
      return written.current === undefined
        ? { kind: 'refused', reason: 'not-dead' }
        : await this.requeue(written.current, request)
    }
    this.#drain.reopened(this.#laneNameOf(item))
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
    if (policy.failure.blocks === 'nothing') return true
    while (await this.isInPlace(item)) {
      const entry = (await this.#holdOf(item)) as HoldEntry
      const { tail, shardId } = entry.hold
      const name = this.#laneNameOf(item)
      const touched = await persist(engine.clock, stopping, logger, 'redriving an event', () =>
        holds.extend(name, entry, tail, shardId),
      )
      if (touched.ok) return true
    }
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
    const { engine, tokens, stopping, logger, policy } = this.#parts
    this.#drain.reopened(this.#laneNameOf(item))
    const entry = await this.#holdOf(item)
    if (entry?.hold.state === 'held' && policy.failure.blocks === 'shard')
      this.#gate.wake(shardOfLane(entry.hold.key))
    const isInLane =
      policy.failure.blocks !== 'nothing' &&
      entry?.hold.state === 'held' &&
      item.position >= entry.hold.lo &&
      item.outOfOrder !== true
    if (isInLane && policy.failure.blocks === 'shard') return
    if (!isInLane && isFinal(item)) return
    const token = isInLane ? laneToken(item) : itemToken(item)
    await persist(engine.clock, stopping, logger, 'sending a retry token', () =>
      tokens.send(token, undefined),
    )
  }

  async #holdOf(item: LedgerItem): Promise<HoldEntry | undefined> {
    const { blocks } = this.#parts.policy.failure
    if (blocks === 'nothing') return undefined
    return await this.#parts.holds.read(this.#laneNameOf(item))
  }

  #laneNameOf(item: LedgerItem): string {
    return this.#parts.policy.failure.blocks === 'key' ? laneName(item) : shardLaneName(item.shardId)
  }
}
