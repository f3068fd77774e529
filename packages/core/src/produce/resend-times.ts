import type { Resend } from './batch-results.ts'
import type { Lane } from './lane.ts'
import type { ShardQueue } from './shard-queue.ts'

/** Lanes that are to be sent again, by when. */
export class ResendTimes {
  readonly #lanes = new Map<number, Lane[]>()

  get isEmpty(): boolean {
    return this.#lanes.size === 0
  }

  /** Undefined: nothing waits. */
  get nextMs(): number | undefined {
    let nextMs: number | undefined
    for (const atMs of this.#lanes.keys()) nextMs = nextMs === undefined ? atMs : Math.min(nextMs, atMs)
    return nextMs
  }

  lanes(): readonly Lane[] {
    return [...this.#lanes.values()].flat()
  }

  clear(): void {
    this.#lanes.clear()
  }

  /** What need not wait is listed in its queue at once. */
  add(resends: readonly Resend[], nowMs: number): void {
    const atOnce: Lane[] = []
    for (const { lane, waitMs } of resends) {
      if (waitMs === 0) {
        atOnce.push(lane)
        continue
      }
      const lanes = this.#lanes.get(nowMs + waitMs)
      if (lanes === undefined) this.#lanes.set(nowMs + waitMs, [lane])
      else lanes.push(lane)
    }
    listFirst(atOnce)
  }

  /** Lists those whose time has come, before all that its queue has. */
  listDue(nowMs: number): void {
    for (const [atMs, lanes] of this.#lanes) {
      if (atMs > nowMs) continue
      this.#lanes.delete(atMs)
      listFirst(lanes)
    }
  }
}

function listFirst(lanes: readonly Lane[]): void {
  const groups = new Map<ShardQueue, Lane[]>()
  for (const lane of lanes) {
    const group = groups.get(lane.queue)
    if (group === undefined) groups.set(lane.queue, [lane])
    else group.push(lane)
  }
  for (const [queue, group] of groups) queue.listFirst(group)
}
