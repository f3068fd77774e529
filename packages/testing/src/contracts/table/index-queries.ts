import type { IndexKey, Table } from '@eddy/core'
import { expect } from 'vitest'
import type { ContractTest, Subject } from '../support/contract-test.ts'
import { queryAll } from './queries.ts'

export function indexTests(test: ContractTest): void {
  test('an item is found by its index, with its own key and value', async (subject) => {
    await write(subject.engine.table, 'one', { partition: 'dead', sort: '5' })
    await write(subject.engine.table, 'two', undefined)
    await expectIndex(subject, 'dead', ['one'])
    const items = await queryAll(subject.engine.table, { partition: 'dead', byIndex: true, limit: 10 })
    expect(items).toEqual([
      {
        partition: 'p',
        sort: 'one',
        version: 1,
        value: { of: 'one' },
        index: { partition: 'dead', sort: '5' },
      },
    ])
    expect(await queryAll(subject.engine.table, { partition: 'dead', limit: 10 })).toEqual([])
    expect(await queryAll(subject.engine.table, { partition: 'p', byIndex: true, limit: 10 })).toEqual([])
  })

  test('a write moves the index; a write without one takes it away; a delete too', async (subject) => {
    const { table } = subject.engine
    await write(table, 'one', { partition: 'retrying', sort: '1' })
    await expectIndex(subject, 'retrying', ['one'])
    await write(table, 'one', { partition: 'dead', sort: '1' })
    await expectIndex(subject, 'dead', ['one'])
    await expectIndex(subject, 'retrying', [])
    await write(table, 'one', { partition: 'dead', sort: '2' })
    await write(table, 'two', { partition: 'dead', sort: '1' })
    await expectIndex(subject, 'dead', ['two', 'one'])
    await write(table, 'two', undefined)
    await expectIndex(subject, 'dead', ['one'])
    await table.delete({ partition: 'p', sort: 'one' }, 'any')
    await expectIndex(subject, 'dead', [])
    expect(await table.count('dead', true)).toBe(0)
  })

  test('a refused write leaves the index alone', async (subject) => {
    const { table } = subject.engine
    await write(table, 'one', { partition: 'retrying', sort: '1' })
    await table.put(
      { partition: 'p', sort: 'one', value: 'refused', index: { partition: 'dead', sort: '1' } },
      'absent',
    )
    await table.delete({ partition: 'p', sort: 'one' }, 99)
    await expectIndex(subject, 'retrying', ['one'])
    await expectIndex(subject, 'dead', [])
  })
}

export function indexOrderTests(test: ContractTest): void {
  test('index order is by UTF-8 bytes, paged both ways, ties included once each', async (subject) => {
    const { table } = subject.engine
    const sorts = ['b', 'a', 'a', 'a', 'é', '\u{10000}', '\ufffd', 'a', 'b', 'a\u0000', 'a']
    for (const [i, sort] of sorts.entries()) {
      const partition = `p${i % 3}`
      const value = { of: sort }
      await table.put({ partition, sort: `item ${i}`, value, index: { partition: 'i', sort } }, 'any')
    }
    const ordered = [...sorts].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    await subject.eventually('all items in the index', async () =>
      (await table.count('i', true)) === sorts.length ? true : undefined,
    )
    for (const limit of [1, 2, 5, 100]) {
      for (const descending of [false, true]) {
        const items = await queryAll(table, { partition: 'i', byIndex: true, limit, descending })
        const expected = descending ? [...ordered].reverse() : ordered
        expect(items.map((item) => item.index?.sort)).toEqual(expected)
        expect(new Set(items.map((item) => item.sort)).size).toBe(sorts.length)
      }
    }
  })

  test('bounds apply to the index sort key, inclusive', async (subject) => {
    const { table } = subject.engine
    for (const sort of ['1', '2', '3', '4']) await write(table, `item ${sort}`, { partition: 'i', sort })
    await expectIndex(subject, 'i', ['item 1', 'item 2', 'item 3', 'item 4'])
    const between = { partition: 'i', byIndex: true, from: '2', to: '3', limit: 1 }
    const up = await queryAll(table, between)
    expect(up.map((item) => item.sort)).toEqual(['item 2', 'item 3'])
    const down = await queryAll(table, { ...between, descending: true })
    expect(down.map((item) => item.sort)).toEqual(['item 3', 'item 2'])
  })

  test('count by index counts the index partition', async (subject) => {
    const { table } = subject.engine
    for (let i = 0; i < 7; i++) await write(table, `item ${i}`, { partition: `i${i % 2}`, sort: 'tie' })
    await subject.eventually('both counts', async () =>
      (await table.count('i0', true)) === 4 && (await table.count('i1', true)) === 3 ? true : undefined,
    )
    expect(await table.count('p')).toBe(7)
  })

  test(
    'the index survives a kill',
    async (subject) => {
      await write(subject.engine.table, 'one', { partition: 'dead', sort: '1' })
      await write(subject.engine.table, 'one', { partition: 'dead', sort: '2' })
      await write(subject.engine.table, 'two', { partition: 'dead', sort: '1' })
      const engine = await subject.reopen()
      await expectIndex({ ...subject, engine }, 'dead', ['two', 'one'])
    },
    { needs: 'reopen' },
  )
}

async function write(table: Table, sort: string, index: IndexKey | undefined): Promise<void> {
  const item = { partition: 'p', sort, value: { of: sort } }
  const result = await table.put(index === undefined ? item : { ...item, index }, 'any')
  expect(result.ok).toBe(true)
}

/** Index reads may lag behind writes on some engines: waits for what is expected. */
async function expectIndex(subject: Subject, partition: string, sorts: readonly string[]): Promise<void> {
  const read = async (): Promise<string[]> => {
    const items = await queryAll(subject.engine.table, { partition, byIndex: true, limit: 100 })
    return items.map((item) => item.sort)
  }
  if (subject.faulty) {
    await subject.eventually(`index ${partition} to hold ${sorts.join(', ')}`, async () => {
      const found = await read()
      return found.length === sorts.length && found.every((sort, i) => sort === sorts[i]) ? true : undefined
    })
  }
  expect(await read()).toEqual(sorts)
}
