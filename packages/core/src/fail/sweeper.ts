import type { LedgerItem } from '../model/ledger-item.ts'
import { afterPosition } from '../model/position.ts'
import type { SubscriptionParts } from '../runtime/subscription-parts.ts'
import type { HandOver } from './hand-over.ts'
import type { HoldEntry } from './hold.ts'
import { type ItemPlace, placeOf } from './item-place.ts'
import { shardOfLane } from './lane.ts'
import { isFinal, type LedgerEntry } from './ledger.ts'
import { itemToken, laneToken, type Token } from './tokens.ts'

const EVERY_MS = 5_000
const PAGE = 500
/** Where nobody knows how many tokens there are, one is not sent again before this. */
const SENT_LATELY_MS = 120_000
/** Remembered; beyond it the oldest may be sent again (I6). */
const MAX_SENT = 10_000
/** A token this late is taken to be lost. */
const OVERDUE_MS = 30_000
/** An open hold is kept at least this long as a watermark against late replays (H4). */
const WATERMARK_MS = 24 * 3_600_000

/** Where a sweep goes on: after these, or at the start. */
export interface SweepPlace {
  retryingAfter?: string | undefined
  heldAfter?: string | undefined
  holdsAfter?: string | undefined
}

export interface SweeperOptions {
  /** Kept by the caller from sweeper to sweeper. */
  readonly place?: SweepPlace
  /** Tokens that may have been lost, for who does not count what waits. */
  readonly mayBeLost?: () => Promise<number>
}

/**
 * Rule 10 of the hold protocol: sends tokens again that were lost between a write and its token, and puts away what is
 * left over. Walks in small steps, one page a round, whatever the number of failures.
 *
 * What an event waits under, its hold says, and never the policy: it may have been another one.
 */
export class Sweeper {
  readonly #parts: SubscriptionParts
  readonly #handOver: HandOver
  readonly #place: SweepPlace
  readonly #mayBeLost: () => Promise<number>
  /** In the walk through the holds that is under way; undefined: it did not begin at the start. */
  #walked: number | undefined
  #heldLanes: number | undefined
  #sweptAtMs: number | undefined
  /** Tokens that may still be sent in this round: no more than can have been lost (I6). */
  #tokensLeft = 0
  /** Where several processes send tokens: those that this one sent again, by its monotonic clock. */
  readonly #sent = new Map<string, number>()

  constructor(parts: SubscriptionParts, handOver: HandOver, options: SweeperOptions = {}) {
    this.#parts = parts
    this.#handOver = handOver
    this.#place = options.place ?? {}
    this.#mayBeLost = options.mayBeLost ?? (() => this.#lostTokens())
  }

  async run(): Promise<void> {
    const { engine, stopping, logger, pause, owner } = this.#parts
    while (!stopping.aborted) {
      await engine.clock.sleep(EVERY_MS, stopping)
      if (stopping.aborted) return
      if (pause.isPaused || !owner.leads('sweeper')) {
        // Whoever sweeps meanwhile knows it better.
        this.#walked = this.#heldLanes = this.#sweptAtMs = undefined
        continue
      }
      try {
        await this.sweep()
        this.#sweptAtMs = engine.clock.monotonicMs()
      } catch (error) {
        logger.warn({ reason: String(error) }, 'a sweep was cut short and goes on in the next round')
      }
    }
  }

  /** Held lanes, as the last walk through all holds found them; undefined: there was none. */
  get heldLanes(): number | undefined {
    return this.#heldLanes
  }

  /** End of the last round of `run`, by the monotonic clock; undefined: another process sweeps, or none does. */
  get sweptAtMs(): number | undefined {
    return this.#sweptAtMs
  }

  /** One page of each kind. */
  async sweep(): Promise<void> {
    this.#tokensLeft = await this.#mayBeLost()
    const retrying = await this.#parts.ledger.byStatus('retrying', {
      limit: PAGE,
      ...after(this.#place.retryingAfter),
    })
    this.#place.retryingAfter = retrying.next
    for (const entry of retrying.entries) await this.#lookAt(entry.item)
    const held = await this.#parts.ledger.byStatus('held', { limit: PAGE, ...after(this.#place.heldAfter) })
    this.#place.heldAfter = held.next
    for (const entry of held.entries) await this.#lookAtHeld(entry)
    await this.#walkHolds()
  }

  async #walkHolds(): Promise<void> {
    if (this.#place.holdsAfter === undefined) this.#walked = 0
    const { holds, next } = await this.#parts.holds.page(this.#place.holdsAfter, PAGE)
    this.#place.holdsAfter = next
    for (const { name, entry } of holds) {
      if (entry.hold.state === 'held' && this.#walked !== undefined) this.#walked += 1
      await this.#lookAtHold(name, entry)
    }
    if (next === undefined) this.#heldLanes = this.#walked
  }

  /**
   * Everything that waits has a token, or its lane has: what the queue holds fewer was lost. One is sent at any rate, since
   * tokens of what is done with may stand where lost ones are missed, and a queue may only guess its depth (I9).
   */
  async #lostTokens(): Promise<number> {
    const { engine, tokens, ledger, holds, owner } = this.#parts
    // What others wrote is not counted here: no token is sent again soon instead.
    if (owner.isShared) return PAGE
    const waiting = ledger.countOf('retrying') + ledger.countOf('held') + holds.heldCount
    // Below 0, too: what a dead process wrote late was never counted.
    if (waiting <= 0) return PAGE
    return Math.max(1, waiting - (await engine.queue.depth(tokens.queueName)))
  }

  async #lookAt(item: LedgerItem): Promise<void> {
    if (!this.#isOverdue(item)) return
    const place = await this.#placeOf(item)
    // A held shard looks after its own events.
    if (place?.kind === 'shard') return
    await this.#send(place === undefined ? itemToken(item) : laneToken(item))
  }

  /** An event that waits where no lane is held (any more) is handled by itself: late, rather than never (I2, I9). */
  async #lookAtHeld(entry: LedgerEntry): Promise<void> {
    const { item } = entry
    if (item.parked === true || !this.#isOverdue(item)) return
    if ((await this.#placeOf(item)) !== undefined) return
    await this.#send(itemToken(item))
  }

  async #lookAtHold(name: string, entry: HoldEntry): Promise<void> {
    const { holds, ledger, engine, checkpointPassed, policy } = this.#parts
    const { hold } = entry
    const ageMs = engine.clock.now() - hold.updatedAtMs
    if (hold.state === 'open') {
      if (ageMs > WATERMARK_MS && (await checkpointPassed(hold.shardId, hold.tail, hold.updatedAtMs)))
        await holds.forget(name, entry)
      return
    }
    if (ageMs < OVERDUE_MS) return
    const heldShard = shardOfLane(name)
    // Written late, since the shards of an earlier policy were let go when their reading began.
    if (heldShard !== undefined && policy.failure.blocks !== 'shard')
      return await this.#handOver.letGo(heldShard)
    const waiting = await ledger.range(hold.laneId, hold.lo, afterPosition(hold.tail), PAGE)
    const first = waiting.find((candidate) => !isFinal(candidate.item))
    if (heldShard === undefined) {
      if (first === undefined || (first.item.parked !== true && this.#isOverdue(first.item)))
        await this.#send(laneToken(hold))
      return
    }
    // A dead process wrote it late: it opens when its event is done with and no reader can come by again.
    if (
      first === undefined &&
      waiting.length < PAGE &&
      (await checkpointPassed(hold.shardId, hold.tail, hold.updatedAtMs))
    )
      await holds.release(name, entry)
  }

  async #send(token: Token): Promise<void> {
    if (this.#tokensLeft <= 0 || this.#wasSentLately(token)) return
    this.#tokensLeft -= 1
    await this.#parts.tokens.send(token, undefined)
  }

  /** Whoever is behind with what is overdue must not find ever more tokens of it. */
  #wasSentLately(token: Token): boolean {
    const { engine, owner } = this.#parts
    if (!owner.isShared) return false
    const name = JSON.stringify(token)
    const nowMs = engine.clock.monotonicMs()
    const sentAtMs = this.#sent.get(name)
    if (sentAtMs !== undefined && nowMs - sentAtMs < SENT_LATELY_MS) return true
    this.#sent.delete(name)
    this.#sent.set(name, nowMs)
    const oldest = this.#sent.keys().next().value
    if (this.#sent.size > MAX_SENT && oldest !== undefined) this.#sent.delete(oldest)
    return false
  }

  #isOverdue(item: LedgerItem): boolean {
    const nowMs = this.#parts.engine.clock.now()
    const dueAtMs = Math.max(item.dueAtMs ?? item.updatedAtMs, item.claimedUntilMs ?? 0)
    return dueAtMs + OVERDUE_MS < nowMs
  }

  async #placeOf(item: LedgerItem): Promise<ItemPlace | undefined> {
    return item.outOfOrder === true ? undefined : await placeOf(this.#parts.holds, item, { fresh: false })
  }
}

function after(cursor: string | undefined): { readonly after?: string } {
  return cursor === undefined ? {} : { after: cursor }
}
