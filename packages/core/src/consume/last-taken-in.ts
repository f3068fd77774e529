import type { Holds } from '../fail/holds.ts'
import type { Position } from '../model/position.ts'

/**
 * No message behind this one was ever taken in. Whoever waits for one that was, and is to come again (a held group
 * whose last message did not reach the ledger), would wait for ever once the queue is purged.
 *
 * @param latest - in this life of the process
 */
export async function lastTakenIn(holds: Holds, latest: Position | undefined): Promise<Position | undefined> {
  let last = latest
  let after: string | undefined
  do {
    const page = await holds.page(after, 1_000)
    for (const { entry } of page.holds) {
      if (last === undefined || last < entry.hold.tail) last = entry.hold.tail
    }
    after = page.next
  } while (after !== undefined)
  return last
}
