import type { Table, WriteResult } from '@eddy/core'
import { expect } from 'vitest'
import type { ContractTest } from '../support/contract-test.ts'

const KEY = { partition: 'holds', sort: 'key-1' }

export function conditionTests(test: ContractTest): void {
  test('absent creates version 1 and is refused when there is an item, which comes back', async ({
    engine,
  }) => {
    expect(await engine.table.get(KEY)).toBeUndefined()
    expect(await engine.table.put({ ...KEY, value: { n: 1 } }, 'absent')).toEqual({ ok: true, version: 1 })
    const refused = await engine.table.put({ ...KEY, value: { n: 2 } }, 'absent')
    const standing = { ...KEY, version: 1, value: { n: 1 } }
    expect(refused).toEqual({ ok: false, current: standing })
    expect(await engine.table.get(KEY)).toEqual(standing)
  })

  test('a version is a condition: every write raises it, an old one is refused with the item', async ({
    engine,
  }) => {
    await written(engine.table.put({ ...KEY, value: 'a' }, 'absent'))
    const second = await written(engine.table.put({ ...KEY, value: 'b' }, 1))
    expect(second).toBe(2)
    const refused = await engine.table.put({ ...KEY, value: 'c' }, 1)
    expect(refused).toEqual({ ok: false, current: { ...KEY, version: 2, value: 'b' } })
    expect(await written(engine.table.put({ ...KEY, value: 'd' }, 2))).toBe(3)
  })

  test('a version is refused where there is no item', async ({ engine, faulty }) => {
    expect(await engine.table.put({ ...KEY, value: 'a' }, 1)).toEqual({ ok: false, current: undefined })
    // Resent after a lost answer, a delete cannot tell "gone by me" from "never there".
    if (!faulty) expect(await engine.table.delete(KEY, 1)).toEqual({ ok: false, current: undefined })
    expect(await engine.table.get(KEY)).toBeUndefined()
  })

  test('any creates and replaces', async ({ engine }) => {
    expect(await written(engine.table.put({ ...KEY, value: 'a' }, 'any'))).toBe(1)
    expect(await written(engine.table.put({ ...KEY, value: 'b' }, 'any'))).toBe(2)
    expect(await engine.table.get(KEY)).toEqual({ ...KEY, version: 2, value: 'b' })
  })

  test('delete: on a version, refused with the item, and ok on nothing with any', async ({ engine }) => {
    await written(engine.table.put({ ...KEY, value: 'a' }, 'absent'))
    await written(engine.table.put({ ...KEY, value: 'b' }, 1))
    const refused = await engine.table.delete(KEY, 1)
    expect(refused).toEqual({ ok: false, current: { ...KEY, version: 2, value: 'b' } })
    expect(await engine.table.delete(KEY, 2)).toMatchObject({ ok: true })
    expect(await engine.table.get(KEY)).toBeUndefined()
    expect(await engine.table.delete(KEY, 'any')).toMatchObject({ ok: true })
  })

  test('a deleted and re-created item starts anew', async ({ engine }) => {
    await written(engine.table.put({ ...KEY, value: 'a' }, 'any'))
    await written(engine.table.put({ ...KEY, value: 'b' }, 'any'))
    await engine.table.delete(KEY, 'any')
    expect(await written(engine.table.put({ ...KEY, value: 'c' }, 'absent'))).toBe(1)
  })
}

export function concurrentWriteTests(test: ContractTest): void {
  test('of concurrent writes on one version exactly one wins', async ({ engine }) => {
    await written(engine.table.put({ ...KEY, value: 'start' }, 'absent'))
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, writer) => engine.table.put({ ...KEY, value: { writer } }, 1)),
    )
    await expectOneWinner(engine.table, results, 2)
  })

  test('of concurrent creations exactly one wins', async ({ engine }) => {
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, writer) => engine.table.put({ ...KEY, value: { writer } }, 'absent')),
    )
    await expectOneWinner(engine.table, results, 1)
  })

  test(
    'a counter raised by compare-and-set loses no step',
    async ({ engine }) => {
      const raise = async (): Promise<void> => {
        for (let done = 0; done < 5; ) {
          const current = await engine.table.get<{ n: number }>(KEY)
          const value = { n: (current?.value.n ?? 0) + 1 }
          const result = await engine.table.put({ ...KEY, value }, current?.version ?? 'absent')
          if (result.ok) done += 1
        }
      }
      await Promise.all(Array.from({ length: 8 }, raise))
      expect(await engine.table.get(KEY)).toMatchObject({ value: { n: 40 }, version: 40 })
    },
    { strict: true },
  )

  test(
    'written items, versions and deletions survive a kill',
    async (subject) => {
      const { table } = subject.engine
      await written(table.put({ ...KEY, value: 'a' }, 'any'))
      await written(table.put({ ...KEY, value: 'b' }, 'any'))
      await written(table.put({ ...KEY, sort: 'gone', value: 'c' }, 'any'))
      await table.delete({ ...KEY, sort: 'gone' }, 'any')
      const engine = await subject.reopen()
      expect(await engine.table.get(KEY)).toEqual({ ...KEY, version: 2, value: 'b' })
      expect(await engine.table.get({ ...KEY, sort: 'gone' })).toBeUndefined()
      expect(await written(engine.table.put({ ...KEY, value: 'd' }, 2))).toBe(3)
    },
    { needs: 'reopen' },
  )
}

async function written(put: Promise<WriteResult>): Promise<number> {
  const result = await put
  if (!result.ok) throw new Error(`expected the write to be taken, received ${JSON.stringify(result)}`)
  return result.version
}

async function expectOneWinner(
  table: Table,
  results: readonly WriteResult[],
  version: number,
): Promise<void> {
  const winners = results.flatMap((result, writer) => (result.ok ? [writer] : []))
  expect(winners).toHaveLength(1)
  const standing = { ...KEY, version, value: { writer: winners[0] } }
  expect(await table.get(KEY)).toEqual(standing)
  for (const result of results) if (!result.ok) expect(result.current).toEqual(standing)
}
