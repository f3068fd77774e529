import { type Batch, MAX_BATCH_ENTRIES } from './batch.ts'
import type { ShardQueue } from './shard-queue.ts'

/**
 * Where a log makes one record of many, what comes in small pieces is worth a wait: while a shard has a batch under way,
 * further records gather until it is answered, or until they fill a batch. Nothing waits where nothing is under way.
 */
export class Gathering {
  readonly #isOn: boolean
  readonly #underWay = new Map<ShardQueue, number>()

  constructor(isOn: boolean) {
    this.#isOn = isOn
  }

  waits(queue: ShardQueue): boolean {
    return this.#isOn && this.#underWay.has(queue) && queue.fresh < MAX_BATCH_ENTRIES
  }

  begins(batch: Batch): void {
    if (!this.#isOn) return
    for (const queue of queuesOf(batch)) this.#underWay.set(queue, (this.#underWay.get(queue) ?? 0) + 1)
  }

  ended(batch: Batch): void {
    if (!this.#isOn) return
    for (const queue of queuesOf(batch)) {
      const others = (this.#underWay.get(queue) ?? 1) - 1
      if (others > 0) this.#underWay.set(queue, others)
      else this.#underWay.delete(queue)
    }
  }
}

function queuesOf({ records }: Batch): ReadonlySet<ShardQueue> {
  return new Set(records.map(({ queue }) => queue))
}
