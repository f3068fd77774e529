import type { Table, WriteResult } from '@eddy/core'

const DONE: WriteResult = { ok: true, version: 1 }

/**
 * A table that is only read, for a directory that may not be written to: what would be tidied, such as messages that have
 * expired, is tidied in memory alone. Operations that change something are refused before they come here.
 */
export function unwrittenTable(table: Table): Table {
  return {
    get: (key) => table.get(key),
    getMany: (keys) => table.getMany(keys),
    query: (request) => table.query(request),
    count: (partition, byIndex) => table.count(partition, byIndex),
    put: async () => DONE as never,
    putInOrder: async (puts) => puts.map(() => DONE),
    delete: async () => DONE,
  }
}
