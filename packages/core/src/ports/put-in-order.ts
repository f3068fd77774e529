import type { OrderedPut, Table, WriteResult } from './table.ts'

/** `Table.putInOrder` on an engine that has it, the same one by one elsewhere. */
export async function putInOrder(table: Table, puts: readonly OrderedPut[]): Promise<readonly WriteResult[]> {
  if (table.putInOrder !== undefined) return await table.putInOrder(puts)
  const results: WriteResult[] = []
  for (const { item, expect } of puts) {
    const result = await table.put(item, expect)
    results.push(result)
    if (!result.ok) break
  }
  return results
}
