import type { PositionedRecord } from './stored-records.ts'
import type { StoredHold, StoredView } from './stored-view.ts'

/**
 * Holds that a former owner wrote once its successor was at work, where no other stood. Their epoch fences nothing then:
 * the successor does not know of them and handles on, and what finds them after that sends again, in its place, what had
 * gone well. Nothing but an end of the former owner in time keeps that away. What such a hold reaches is excused, by
 * event; all else is held to its order, whoever goes on beside it.
 */
export class LateHolds {
  readonly #view: StoredView
  /** Held, and not known to the process at work; by lane or shard. */
  readonly #unknown = new Map<string, StoredHold>()
  readonly #reached = new Set<string>()
  /** Of the process that began last. */
  #epoch = 0

  constructor(view: StoredView) {
    this.#view = view
  }

  /** A process begins: it loads every hold before its first event. */
  began(epoch: number): void {
    this.#epoch = epoch
    this.#unknown.clear()
  }

  /** @param hasGoneWell - by event id, so far */
  changed(
    before: StoredHold | undefined,
    after: StoredHold | undefined,
    hasGoneWell: (eventId: string) => boolean,
  ): void {
    const hold = after ?? before
    if (hold === undefined) return
    if (after?.state !== 'held' || after.epoch >= this.#epoch) {
      this.#unknown.delete(nameOf(hold))
      return
    }
    // It was held before the successor began to look, which knows it then.
    if (before?.state === 'held') return
    this.#unknown.set(nameOf(hold), hold)
    for (const record of this.#view.records())
      if (isBehind(hold, record) && hasGoneWell(record.eventId)) this.#reached.add(record.eventId)
  }

  /** The live path of the process at work handled it well. */
  handled(eventId: string): void {
    if (this.#unknown.size === 0) return
    const record = this.#view.records().find((one) => one.eventId === eventId)
    if (record === undefined) return
    for (const hold of this.#unknown.values()) if (isBehind(hold, record)) this.#reached.add(eventId)
  }

  /** It had gone well when such a hold was written before it, or while one stood. */
  reached(eventId: string): boolean {
    return this.#reached.has(eventId)
  }
}

function isBehind(hold: StoredHold, { record, lane, position }: PositionedRecord): boolean {
  if (position < hold.lo) return false
  return isOfShard(hold) ? record.shardId === hold.shardId : lane === nameOf(hold)
}

/** As a record's lane has it. */
function nameOf({ key, explicitHashKey }: StoredHold): string {
  return `${explicitHashKey ?? ''}/${key}`
}

export function isOfShard({ key }: Pick<StoredHold, 'key'>): boolean {
  return key !== key.trim()
}
