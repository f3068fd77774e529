import type { Logger } from '../observe/logger.ts'
import type { Engine } from '../ports/engine.ts'
import type { Table } from '../ports/table.ts'
import { persist } from './stop-signal.ts'

/**
 * The engine with reads of the table that are repeated until they answer: a subscription that cannot read its ledger
 * waits, it does not give up (I9). Writes are repeated where they are made, since a refusal then needs thought.
 */
export function steadyEngine(engine: Engine, stopping: AbortSignal, logger: Logger): Engine {
  const { table, blobs, clock } = engine
  const steady = <T>(read: () => Promise<T>): Promise<T> =>
    persist(clock, stopping, logger, 'reading a table', read)
  const steadyTable: Table = {
    get: (key) => steady(() => table.get(key)),
    getMany: (wanted) => steady(() => table.getMany(wanted)),
    query: (request) => steady(() => table.query(request)),
    count: (partition, byIndex) => steady(() => table.count(partition, byIndex)),
    put: (item, expect) => table.put(item, expect),
    delete: (key, expect) => table.delete(key, expect),
    ...(table.putInOrder !== undefined && { putInOrder: table.putInOrder.bind(table) }),
  }
  return {
    log: engine.log,
    queue: engine.queue,
    clock,
    table: steadyTable,
    blobs: {
      get: (key) => steady(() => blobs.get(key)),
      put: (key, content) => blobs.put(key, content),
      list: (prefix) => blobs.list(prefix),
      delete: (key) => blobs.delete(key),
    },
    md5Hex: (text) => engine.md5Hex(text),
    md5: (bytes) => engine.md5(bytes),
    close: () => engine.close(),
  }
}
