import { afterPosition, type LedgerItem } from '@eddy/core'
import { isOfShard, type LateHolds } from './late-holds.ts'
import type { OrderPromises } from './order-promises.ts'
import type { StoredHold, StoredView } from './stored-view.ts'
import { Violation } from './violation.ts'

const FINAL: readonly LedgerItem['status'][] = ['dead', 'dropped', 'archived', 'resolved']

/** H1 to H4: what a hold may become, whoever writes it and however late. */
export class HoldChecks {
  readonly #view: StoredView
  readonly #promises: OrderPromises
  readonly #late: LateHolds
  /** True when the stored checkpoint is past the position. */
  readonly #passed: (shardId: string, position: string) => boolean

  constructor(
    view: StoredView,
    promises: OrderPromises,
    late: LateHolds,
    passed: (shardId: string, position: string) => boolean,
  ) {
    this.#view = view
    this.#promises = promises
    this.#late = late
    this.#passed = passed
  }

  changed(before: StoredHold | undefined, after: StoredHold | undefined): void {
    if (before === undefined) return
    const name = JSON.stringify(before.key.trim())
    if (after === undefined) {
      // Another policy does not hold shards: what waits there holds its key, or nothing, before the shard is let go.
      if (before.state === 'held' && isOfShard(before) && !this.#promises.isAlways('shard')) {
        const event = this.#view.recordAt(before.shardId, before.lo)
        const isHeld = this.#holdsKey(before) || !this.#promises.everMayBe('nothing')
        if (event !== undefined) this.#promises.handedOver(event.eventId, isHeld ? 'key' : 'nothing')
        return
      }
      if (before.state === 'held')
        throw new Violation('I3', `the hold of ${name} was removed while it is held`)
      if (!this.#passed(before.shardId, before.tail))
        throw new Violation(
          'I3',
          `the watermark of ${name} was removed before the checkpoint was past it (H4)`,
        )
      return
    }
    if (after.lo < before.lo) throw new Violation('I3', `the low bound of ${name} fell (H1)`)
    if (before.state === 'held' && after.tail < before.tail)
      throw new Violation('I3', `the tail of ${name} fell while it was held (H2)`)
    if (after.epoch < before.epoch)
      throw new Violation('I3', `the hold of ${name} was written by a former owner over a later one (H3)`)
    if (before.state === 'held' && after.state === 'open') this.#checkRelease(name, before, after)
  }

  /** What a shard is held for holds its key too. */
  #holdsKey({ laneId, lo }: StoredHold): boolean {
    return this.#view
      .holds()
      .some(
        (hold) =>
          hold.state === 'held' &&
          !isOfShard(hold) &&
          hold.laneId === laneId &&
          hold.lo <= lo &&
          lo <= hold.tail,
      )
  }

  /** A lane is let go only when nothing of it waits. A redrive may come in between: it sees to its place itself. */
  #checkRelease(name: string, before: StoredHold, hold: StoredHold): void {
    if (hold.lo <= hold.tail)
      throw new Violation('I3', `${name} was let go with a low bound before its tail (H1)`)
    const waiting = this.#view.ledger().find(
      (item) =>
        item.id.split(':')[1] === hold.laneId &&
        // What failed while nothing blocked waits by itself, before what is held.
        (item.position >= before.lo || !this.#promises.everMayBe('nothing')) &&
        item.position <= afterPosition(hold.tail) &&
        !FINAL.includes(item.status) &&
        item.outOfOrder !== true &&
        !this.#late.reached(item.eventId) &&
        item.redrives.length === 0 &&
        item.editOf === undefined,
    )
    if (waiting !== undefined)
      throw new Violation('I3', `${name} was let go while ${waiting.eventId} is ${waiting.status}`)
  }
}
