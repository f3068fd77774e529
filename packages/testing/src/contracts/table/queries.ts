import type { QueryRequest, Table, TableItem } from '@eddy/core'
import { expect } from 'vitest'
import { type ContractTest, expectCode } from '../support/contract-test.ts'

const MAX_PAGES = 10_000

/** All items of a query, page by page. A page may be short, even empty, and still have a next one. */
export async function queryAll(table: Table, request: QueryRequest): Promise<TableItem[]> {
  const items: TableItem[] = []
  let after: string | undefined
  for (let page = 0; page < MAX_PAGES; page++) {
    const result = await table.query(after === undefined ? request : { ...request, after })
    expect(result.items.length).toBeLessThanOrEqual(request.limit)
    items.push(...result.items)
    if (result.next === undefined) return items
    after = result.next
  }
  throw new Error(`queryAll: expected an end within ${MAX_PAGES} pages`)
}

export function queryTests(test: ContractTest): void {
  test('items come in the order of their UTF-8 bytes, both ways', async ({ engine }) => {
    const keys = ['b', 'a', 'aa', 'a\u0000', 'a\u0001', 'B', '10', '9', 'é', '\u00ff', '\ud7ff']
    keys.push('\ue000', '\ufffd', '\u{10000}', '\u{1f600}', 'a\u{1f600}', 'a\uffee', ' ', '~')
    await fill(engine.table, keys)
    const ordered = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    expect(await sorts(engine.table, {})).toEqual(ordered)
    expect(await sorts(engine.table, { descending: true })).toEqual([...ordered].reverse())
    for (const limit of [1, 3]) {
      expect(await sorts(engine.table, { limit })).toEqual(ordered)
      expect(await sorts(engine.table, { limit, descending: true })).toEqual([...ordered].reverse())
    }
  })

  test('bounds on the sort key are inclusive, both ways', async ({ engine }) => {
    await fill(engine.table, ['a', 'b', 'ba', 'c', 'd'])
    expect(await sorts(engine.table, { from: 'b', to: 'c' })).toEqual(['b', 'ba', 'c'])
    expect(await sorts(engine.table, { from: 'b', to: 'c', descending: true })).toEqual(['c', 'ba', 'b'])
    expect(await sorts(engine.table, { from: 'bb' })).toEqual(['c', 'd'])
    expect(await sorts(engine.table, { to: 'bb', limit: 2 })).toEqual(['a', 'b', 'ba'])
    expect(await sorts(engine.table, { from: 'x' })).toEqual([])
    expect(await sorts(engine.table, { from: 'c', to: 'b' })).toEqual([])
  })

  test('a query returns whole items of its partition alone', async ({ engine }) => {
    await fill(engine.table, ['a'])
    await fill(engine.table, ['a', 'b'], 'pp')
    await fill(engine.table, ['a', 'b'], 'o')
    expect(await queryAll(engine.table, { partition: 'p', limit: 10 })).toEqual([
      { partition: 'p', sort: 'a', version: 1, value: { of: 'a' } },
    ])
    expect(await engine.table.query({ partition: 'none', limit: 10 })).toEqual({ items: [], next: undefined })
  })
}

export function pagingTests(test: ContractTest): void {
  test('the last page has no next one', async ({ engine, faulty }) => {
    await fill(engine.table, ['a', 'b', 'c', 'd'])
    const first = await engine.table.query({ partition: 'p', limit: 2 })
    expect(first.next).toBeDefined()
    if (!faulty) expect(first.items.map((item) => item.sort)).toEqual(['a', 'b'])
    const all = await engine.table.query({ partition: 'p', limit: 1_000 })
    if (!faulty) expect([all.items.length, all.next]).toEqual([4, undefined])
  })

  test('paging goes on where it was, though items come and go', async ({ engine }) => {
    for (const descending of [false, true]) {
      const partition = `moving-${descending}`
      await fill(engine.table, ['b', 'd', 'f', 'h'], partition)
      const first = await engine.table.query({ partition, limit: 2, descending })
      const last = first.items.at(-1)?.sort ?? (descending ? 'z' : 'a')
      if (first.next === undefined) throw new Error('expected a next page')
      await engine.table.delete({ partition, sort: last }, 'any')
      await fill(engine.table, ['a', 'c', 'e', 'g', 'i'], partition)
      const rest = await queryAll(engine.table, { partition, limit: 2, descending, after: first.next })
      const everything = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'].filter((sort) => sort !== last)
      const expected = descending
        ? everything.filter((sort) => sort < last).reverse()
        : everything.filter((sort) => sort > last)
      expect(rest.map((item) => item.sort)).toEqual(expected)
    }
  })

  test('a page of 1,000 and many pages', async ({ engine }) => {
    const keys = Array.from({ length: 1_500 }, (_, i) => String(i).padStart(5, '0'))
    await Promise.all(keys.map((sort) => engine.table.put({ partition: 'p', sort, value: 1 }, 'any')))
    expect(await sorts(engine.table, { limit: 1_000 })).toEqual(keys)
    expect(await sorts(engine.table, { limit: 77, descending: true })).toEqual([...keys].reverse())
    expect(await engine.table.count('p')).toBe(1_500)
  })

  test('count follows creations and deletions', async ({ engine }) => {
    expect(await engine.table.count('p')).toBe(0)
    await fill(engine.table, ['a', 'b', 'c'])
    await fill(engine.table, ['a'])
    expect(await engine.table.count('p')).toBe(3)
    await engine.table.delete({ partition: 'p', sort: 'b' }, 'any')
    expect([await engine.table.count('p'), await engine.table.count('p', true)]).toEqual([2, 0])
  })

  test('bounds: limit is 1 to 1,000', async ({ engine }) => {
    for (const limit of [0, 1_001]) {
      await expectCode(engine.table.query({ partition: 'p', limit }), 'EDDY_INVALID_OPTION')
    }
  })
}

async function fill(table: Table, sorts: readonly string[], partition = 'p'): Promise<void> {
  for (const sort of sorts) await table.put({ partition, sort, value: { of: sort } }, 'any')
}

async function sorts(table: Table, more: Partial<QueryRequest>): Promise<string[]> {
  const items = await queryAll(table, { partition: 'p', limit: 1_000, ...more })
  return items.map((item) => item.sort)
}
