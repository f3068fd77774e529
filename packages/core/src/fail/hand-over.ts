import type { LedgerItem } from '../model/ledger-item.ts'
import { afterPosition } from '../model/position.ts'
import { persist, Stopped } from '../runtime/stop-signal.ts'
import type { SubscriptionParts } from '../runtime/subscription-parts.ts'
import type { HoldEntry } from './hold.ts'
import { type Lane, laneName, shardLaneName } from './lane.ts'
import { isFinal } from './ledger.ts'
import { writeOne } from './planned-write.ts'
import { itemToken, laneToken } from './tokens.ts'

/** A shard's hold is of one event; there may be edits of it. */
const MAX_EDITS = 500

/**
 * Lets a shard go that an earlier policy held (`blocks` was `shard`): the event that failed holds its key from now on,
 * or nothing, as the policy of now says. Call it while nobody reads the shard.
 *
 * Hold of the key, token, then the end of the shard's hold: after a crash in between it is done again. The hold is
 * removed, not opened: no watermark of it may stand in the way of an event that has not reached the ledger.
 */
export class HandOver {
  readonly #parts: SubscriptionParts

  constructor(parts: SubscriptionParts) {
    this.#parts = parts
  }

  /**
   * @param epoch - of the reading that begins. Undefined: it goes on already, and the hold was written late by a dead
   * process
   */
  async letGo(shardId: string, epoch?: number): Promise<void> {
    const { holds, ledger, policy } = this.#parts
    const name = shardLaneName(shardId)
    for (;;) {
      const entry = await this.#persist('reading a hold', async () =>
        epoch === undefined ? await holds.read(name) : await holds.lookup(name),
      )
      const { blocks } = policy.failure
      if (entry?.hold.state !== 'held' || blocks === 'shard') return
      const { hold } = entry
      const items = await this.#persist('reading the failure ledger', () =>
        ledger.range(hold.laneId, hold.lo, afterPosition(hold.tail), MAX_EDITS),
      )
      const waiting = items.find(({ item }) => !isFinal(item))?.item
      await this.#place(entry, waiting, blocks, epoch ?? hold.epoch)
      if (await this.#persist('letting a shard go', () => holds.forget(name, entry))) return
    }
  }

  async #place(
    { hold }: HoldEntry,
    waiting: LedgerItem | undefined,
    blocks: 'nothing' | 'key',
    epoch: number,
  ): Promise<void> {
    const { checkpointPassed } = this.#parts
    // Without an item, the reader comes by again and puts it there (rule 4b), unless its checkpoint is past it.
    const isExpected =
      waiting !== undefined || !(await checkpointPassed(hold.shardId, hold.tail, hold.updatedAtMs))
    const lane = waiting ?? hold.cause
    const isHeld =
      blocks === 'key' && isExpected && lane !== undefined ? await this.#holdKey(lane, hold, epoch) : false
    if (waiting === undefined || waiting.parked === true) return
    const token = isHeld ? laneToken(waiting) : itemToken(waiting)
    await this.#persist('sending a retry token', () => this.#parts.tokens.send(token, waiting.dueAtMs))
  }

  /** False: all of the key up to there is done with, or waits by itself. */
  async #holdKey(lane: Lane, hold: HoldEntry['hold'], ownEpoch: number): Promise<boolean> {
    const { holds, engine } = this.#parts
    const name = laneName(lane)
    for (;;) {
      const known = await this.#persist('reading a hold', () => holds.read(name))
      if (known !== undefined && hold.lo < known.hold.lo) return false
      if (known?.hold.state === 'held' && known.hold.tail >= hold.tail) return true
      const { lo: position, laneId, shardId } = hold
      const epoch = Math.max(ownEpoch, known?.hold.epoch ?? 0)
      const written = await this.#persist('holding a key', () =>
        writeOne(
          engine.table,
          known?.hold.state === 'held'
            ? holds.planExtend(name, known, { tail: hold.tail, shardId, epoch })
            : holds.planHold(name, known, lane, { position, laneId, shardId, epoch }),
        ),
      )
      if (written.ok) return true
    }
  }

  #persist<T>(what: string, step: () => Promise<T>): Promise<T> {
    const { engine, stopping, logger } = this.#parts
    if (stopping.aborted) throw new Stopped()
    return persist(engine.clock, stopping, logger, what, step)
  }
}
