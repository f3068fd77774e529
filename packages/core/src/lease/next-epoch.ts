import type { Clock } from '../ports/clock.ts'
import type { ItemKey, Table } from '../ports/table.ts'

const KEY: ItemKey = { partition: 'process', sort: 'epoch' }

interface Counter {
  readonly [name: string]: number
  readonly last: number
}

/**
 * An epoch above all that were given out before. Never below the wall time, in milliseconds: that is the epoch of a
 * Lambda function's invocation, which asks nobody.
 *
 * It counts for a reading once the lease was written with it: a former owner that comes late with a new number is
 * refused there, and fences nobody.
 */
export async function nextEpoch({
  table,
  clock,
}: {
  readonly table: Table
  readonly clock: Clock
}): Promise<number> {
  let known = await table.get<Counter>(KEY)
  for (;;) {
    const last = Math.max((known?.value.last ?? 0) + 1, Math.floor(clock.now()))
    const written = await table.put<Counter>({ ...KEY, value: { last } }, known?.version ?? 'absent')
    if (written.ok) return last
    known = written.current
  }
}
