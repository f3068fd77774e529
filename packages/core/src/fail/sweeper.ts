import type { LedgerItem } from '../model/ledger-item.ts'
import { afterPosition } from '../model/position.ts'
import type { SubscriptionParts } from '../runtime/subscription-parts.ts'
import { type HoldEntry, isWithin } from './holds.ts'
import { laneName, shardLaneName, shardOfLane } from './lane.ts'
import { isFinal, type LedgerEntry } from './ledger.ts'
import { itemToken, laneToken, type Token } from './tokens.ts'

const EVERY_MS = 5_000
const PAGE = 500
/** A token this late is taken to be lost. */
const OVERDUE_MS = 30_000
/** An open hold is kept at least this long as a watermark against late replays (H4). */
const WATERMARK_MS = 24 * 3_600_000

/**
 * Rule 10 of the hold protocol: sends tokens again that were lost between a write and its token, and puts away what is
 * left over. Walks in small steps, one page a round, whatever the number of failures.
 *
 * It also finds what an earlier policy left: after a change of `blocks`, events that waited in a lane which nobody
 * drains any more are handled one by one, and their hold is opened.
 */
export class Sweeper {
  readonly #parts: SubscriptionParts
  #retryingAfter: string | undefined
  #heldAfter: string | undefined
  #holdsAfter: string | undefined
  /** Tokens that may still be sent in this round: no more than can have been lost (I6). */
  #tokensLeft = 0

  constructor(parts: SubscriptionParts) {
    this.#parts = parts
  }

  async run(): Promise<void> {
    const { engine, stopping, logger, pause } = this.#parts
    while (!stopping.aborted) {
      await engine.clock.sleep(EVERY_MS, stopping)
      if (stopping.aborted) return
      if (pause.isPaused) continue
      try {
        await this.sweep()
      } catch (error) {
        logger.warn({ reason: String(error) }, 'a sweep was cut short and goes on in the next round')
      }
    }
  }

  /** One page of each kind. */
  async sweep(): Promise<void> {
    this.#tokensLeft = await this.#lostTokens()
    const retrying = await this.#parts.ledger.byStatus('retrying', {
      limit: PAGE,
      ...after(this.#retryingAfter),
    })
    this.#retryingAfter = retrying.next
    for (const entry of retrying.entries) await this.#lookAt(entry.item)
    const held = await this.#parts.ledger.byStatus('held', { limit: PAGE, ...after(this.#heldAfter) })
    this.#heldAfter = held.next
    for (const entry of held.entries) await this.#lookAtHeld(entry)
    const holds = await this.#parts.holds.page(this.#holdsAfter, PAGE)
    this.#holdsAfter = holds.next
    for (const { name, entry } of holds.holds) await this.#lookAtHold(name, entry)
  }

  /** Everything that waits has a token, or its lane has: what the queue holds fewer was lost. */
  async #lostTokens(): Promise<number> {
    const { engine, tokens, ledger, holds } = this.#parts
    const waiting = ledger.countOf('retrying') + ledger.countOf('held') + holds.heldCount
    if (waiting === 0) return PAGE
    return Math.max(0, waiting - (await engine.queue.depth(tokens.queueName)))
  }

  async #lookAt(item: LedgerItem): Promise<void> {
    if (!this.#isOverdue(item)) return
    const hold = await this.#holdOf(item)
    const isInLane = isWithin(hold, item) && item.outOfOrder !== true
    // A held shard looks after its own events.
    if (isInLane && this.#parts.policy.failure.blocks === 'shard') return
    await this.#send(isInLane ? laneToken(item) : itemToken(item))
  }

  /** An event that waits where no lane is held (any more) is handled by itself: late, rather than never (I2, I9). */
  async #lookAtHeld(entry: LedgerEntry): Promise<void> {
    const { item } = entry
    if (item.parked === true || !this.#isOverdue(item)) return
    if (isWithin(await this.#holdOf(item), item)) return
    await this.#send(itemToken(item))
  }

  async #lookAtHold(name: string, entry: HoldEntry): Promise<void> {
    const { holds, ledger, engine, checkpointPassed, policy } = this.#parts
    const { hold } = entry
    const ageMs = engine.clock.now() - hold.updatedAtMs
    if (hold.state === 'open') {
      if (ageMs > WATERMARK_MS && checkpointPassed(hold.shardId, hold.tail)) await holds.forget(name, entry)
      return
    }
    if (ageMs < OVERDUE_MS) return
    const waiting = await ledger.range(hold.laneId, hold.lo, afterPosition(hold.tail), PAGE)
    const first = waiting.find((candidate) => !isFinal(candidate.item))
    const isOfShard = name === shardLaneName(shardOfLane(name))
    const { blocks } = policy.failure
    if (blocks === 'key' && !isOfShard) {
      if (first === undefined || (first.item.parked !== true && this.#isOverdue(first.item)))
        await this.#send(laneToken(hold))
      return
    }
    // Nobody drains it: a hold of another policy, or of a shard that a dead process wrote late. It opens when its last
    // event is done with and no reader can come by again.
    const isOwn = blocks === 'shard' && isOfShard
    if (isOwn && !checkpointPassed(hold.shardId, hold.tail)) return
    if (first === undefined && waiting.length < PAGE) await holds.release(name, entry)
  }

  async #send(token: Token): Promise<void> {
    if (this.#tokensLeft <= 0) return
    this.#tokensLeft -= 1
    await this.#parts.tokens.send(token, undefined)
  }

  #isOverdue(item: LedgerItem): boolean {
    const nowMs = this.#parts.engine.clock.now()
    const dueAtMs = Math.max(item.dueAtMs ?? item.updatedAtMs, item.claimedUntilMs ?? 0)
    return dueAtMs + OVERDUE_MS < nowMs
  }

  async #holdOf(item: LedgerItem): Promise<HoldEntry | undefined> {
    switch (this.#parts.policy.failure.blocks) {
      case 'nothing':
        return undefined
      case 'key':
        return await this.#parts.holds.lookup(laneName(item))
      case 'shard':
        return await this.#parts.holds.lookup(shardLaneName(item.shardId))
    }
  }
}

function after(cursor: string | undefined): { readonly after?: string } {
  return cursor === undefined ? {} : { after: cursor }
}
