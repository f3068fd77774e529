import type { Engine, StoredFailure, Table, WriteResult } from '@eddy/core'
import type { SimEngine } from '../sim/process/sim-engine.ts'
import type { History } from './history.ts'
import type { StoredBreaker } from './protection-checks.ts'
import type { RareEventCounts } from './rare-events.ts'
import type { StoredHold } from './stored-view.ts'

/** The engine, with an eye on refused writes: they are what races look like from inside. */
export function watchedEngine(engine: SimEngine, rare: RareEventCounts, history: History): Engine {
  const { boot } = history
  const sawBreaker = (state: StoredBreaker): void => {
    if (state.kind === 'open') rare.saw('breakerOpened')
    // A former owner's breaker is not the one that the process at work goes by.
    if (boot === history.boot) history.protection.sawBreaker(state, engine.clock.now())
  }
  const table: Table = {
    ...bound(engine.table),
    put: async (item, expect) => {
      if (item.partition === 'breaker') sawBreaker(item.value as unknown as StoredBreaker)
      if (item.partition.startsWith('hold/')) history.holds(item.value as unknown as StoredHold)
      // What a former owner makes wait, its successor may have handled.
      if (item.partition.startsWith('ledger/') && boot !== history.boot)
        history.again.mayBeLate((item.value as unknown as StoredFailure).item.eventId)
      const result = await engine.table.put(item, expect)
      if (!result.ok) seeRefusal(rare, item.partition, item.value, result)
      return result
    },
  }
  return { ...engine, table }
}

function seeRefusal(
  rare: RareEventCounts,
  partition: string,
  value: unknown,
  result: WriteResult & { readonly ok: false },
): void {
  if (partition.startsWith('hold/')) {
    const current = result.current?.value as unknown as StoredHold | undefined
    const wanted = value as StoredHold
    if (wanted.state === 'open' && current?.state === 'held' && current.tail !== wanted.tail)
      rare.saw('racedRelease')
  }
  if (
    partition.startsWith('ledger/') &&
    (value as StoredFailure).item.claimedBy === undefined &&
    result.current !== undefined &&
    result.current.version > 1
  )
    rare.saw('zombieResult')
}

function bound(table: Table): Table {
  return {
    get: (key) => table.get(key),
    getMany: (keys) => table.getMany(keys),
    put: (item, expect) => table.put(item, expect),
    delete: (key, expect) => table.delete(key, expect),
    query: (request) => table.query(request),
    count: (partition, byIndex) => table.count(partition, byIndex),
  }
}
