import type { LedgerItem } from '../model/ledger-item.ts'
import { afterPosition } from '../model/position.ts'
import type { SubscriptionParts } from '../runtime/subscription-parts.ts'
import { type HoldEntry, shardLaneName } from './holds.ts'
import { laneName } from './lane.ts'
import { isFinal, type LedgerEntry } from './ledger.ts'
import { itemToken, laneToken } from './tokens.ts'

const EVERY_MS = 5_000
const PAGE = 500
/** A token this late is taken to be lost. */
const OVERDUE_MS = 30_000
/** An open hold is kept at least this long as a watermark against late replays (H4). */
const WATERMARK_MS = 24 * 3_600_000

/**
 * Rule 10 of the hold protocol: sends tokens again that were lost between a write and its token, and puts away what is
 * left over. Walks in small steps, one page a round, whatever the number of failures.
 */
export class Sweeper {
  readonly #parts: SubscriptionParts
  #retryingAfter: string | undefined
  #heldAfter: string | undefined
  #holdsAfter: string | undefined

  constructor(parts: SubscriptionParts) {
    this.#parts = parts
  }

  async run(): Promise<void> {
    const { engine, stopping, logger } = this.#parts
    while (!stopping.aborted) {
      await engine.clock.sleep(EVERY_MS, stopping)
      if (stopping.aborted) return
      try {
        await this.sweep()
      } catch (error) {
        logger.warn({ reason: String(error) }, 'a sweep was cut short and goes on in the next round')
      }
    }
  }

  /** One page of each kind. */
  async sweep(): Promise<void> {
    const retrying = await this.#parts.ledger.byStatus('retrying', {
      limit: PAGE,
      ...after(this.#retryingAfter),
    })
    this.#retryingAfter = retrying.next
    for (const entry of retrying.entries) await this.#lookAt(entry)
    const { blocks } = this.#parts.definition.failure
    if (blocks === 'nothing') return
    if (blocks === 'key') await this.#sweepHeld()
    const holds = await this.#parts.holds.page(this.#holdsAfter, PAGE)
    this.#holdsAfter = holds.next
    for (const { name, entry } of holds.holds) {
      if (blocks === 'key') await this.#lookAtHold(name, entry)
      else await this.#lookAtShardHold(name, entry)
    }
  }

  async #sweepHeld(): Promise<void> {
    const held = await this.#parts.ledger.byStatus('held', { limit: PAGE, ...after(this.#heldAfter) })
    this.#heldAfter = held.next
    for (const entry of held.entries) await this.#resolveIfPassed(entry)
  }

  async #lookAt(entry: LedgerEntry): Promise<void> {
    const { item } = entry
    if (await this.#resolveIfPassed(entry)) return
    if (!this.#isOverdue(item)) return
    const hold = await this.#holdOf(item)
    const isInLane =
      hold?.hold.state === 'held' &&
      item.position >= hold.hold.lo &&
      item.position <= afterPosition(hold.hold.tail) &&
      item.outOfOrder !== true
    // A held shard looks after its own events.
    if (isInLane && this.#parts.definition.failure.blocks === 'shard') return
    await this.#parts.tokens.send(isInLane ? laneToken(item) : itemToken(item), undefined)
  }

  async #lookAtHold(name: string, entry: HoldEntry): Promise<void> {
    const { holds, ledger, tokens, engine, checkpointPassed } = this.#parts
    const { hold } = entry
    const ageMs = engine.clock.now() - hold.updatedAtMs
    if (hold.state === 'open') {
      if (ageMs > WATERMARK_MS && checkpointPassed(hold.shardId, hold.tail)) await holds.forget(name, entry)
      return
    }
    if (ageMs < OVERDUE_MS) return
    const waiting = await ledger.range(hold.laneId, hold.lo, afterPosition(hold.tail), PAGE)
    const first = waiting.find((candidate) => !isFinal(candidate.item))
    if (first === undefined || (first.item.parked !== true && this.#isOverdue(first.item)))
      await tokens.send(laneToken(hold), undefined)
  }

  /**
   * A held shard's reader waits at its tail. A hold whose tail the checkpoint is past was written late, by a process
   * that had died: nobody waits for it, and nobody else would open it.
   */
  async #lookAtShardHold(name: string, entry: HoldEntry): Promise<void> {
    const { holds, ledger, engine, checkpointPassed } = this.#parts
    const { state, updatedAtMs, shardId, laneId, tail } = entry.hold
    if (state === 'open' || engine.clock.now() - updatedAtMs < OVERDUE_MS) return
    if (!checkpointPassed(shardId, tail)) return
    const last = await ledger.get(laneId, tail)
    if (last === undefined || isFinal(last.item)) await holds.release(name, entry)
  }

  /**
   * All of a key before `lo` is resolved (H1), so an item there that says otherwise was written late. What a person
   * redrove or edited is not meant: it runs out of order by agreement.
   */
  async #resolveIfPassed(entry: LedgerEntry): Promise<boolean> {
    const { item } = entry
    if (
      this.#parts.definition.failure.blocks !== 'key' ||
      item.outOfOrder === true ||
      item.redrives.length > 0 ||
      item.editOf !== undefined
    )
      return false
    const hold = await this.#holdOf(item)
    if (hold === undefined || item.position >= hold.hold.lo) return false
    const nowMs = this.#parts.engine.clock.now()
    await this.#parts.ledger.replace(entry, {
      ...item,
      status: 'resolved',
      reason: 'handled before its item was written',
      updatedAtMs: nowMs,
      statusAtMs: nowMs,
    })
    return true
  }

  #isOverdue(item: LedgerItem): boolean {
    const nowMs = this.#parts.engine.clock.now()
    const dueAtMs = Math.max(item.dueAtMs ?? item.updatedAtMs, item.claimedUntilMs ?? 0)
    return dueAtMs + OVERDUE_MS < nowMs
  }

  async #holdOf(item: LedgerItem): Promise<HoldEntry | undefined> {
    switch (this.#parts.definition.failure.blocks) {
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
