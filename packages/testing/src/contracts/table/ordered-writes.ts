import { type OrderedPut, putInOrder } from '@eddy/core'
import { expect } from 'vitest'
import type { ContractTest } from '../support/contract-test.ts'

const P = 'ordered'

/** `putInOrder`, with the engine's own facility where it has one. */
export function orderedWriteTests(test: ContractTest): void {
  test('are made in order, each on its own condition, and answered one by one', async ({ engine }) => {
    await engine.table.put({ partition: P, sort: 'b', value: 'before' }, 'absent')
    const results = await putInOrder(engine.table, [
      put('a', 1, 'absent'),
      put('b', 2, 1),
      put('a', 3, 1),
      put('c', 4, 'any'),
    ])
    expect(results).toEqual([
      { ok: true, version: 1 },
      { ok: true, version: 2 },
      { ok: true, version: 2 },
      { ok: true, version: 1 },
    ])
    expect(await engine.table.get({ partition: P, sort: 'a' })).toMatchObject({ value: 3, version: 2 })
    expect(await engine.table.get({ partition: P, sort: 'b' })).toMatchObject({ value: 2, version: 2 })
    expect(await engine.table.get({ partition: P, sort: 'c' })).toMatchObject({ value: 4, version: 1 })
  })

  test('end at the first that is refused: those before it stand, those after it are not made', async ({
    engine,
  }) => {
    await engine.table.put({ partition: P, sort: 'b', value: 'theirs' }, 'absent')
    const results = await putInOrder(engine.table, [
      put('a', 1, 'absent'),
      put('b', 2, 'absent'),
      put('c', 3, 'absent'),
    ])
    const theirs = { partition: P, sort: 'b', version: 1, value: 'theirs' }
    expect(results).toEqual([
      { ok: true, version: 1 },
      { ok: false, current: theirs },
    ])
    expect(await engine.table.get({ partition: P, sort: 'a' })).toMatchObject({ value: 1 })
    expect(await engine.table.get({ partition: P, sort: 'b' })).toEqual(theirs)
    expect(await engine.table.get({ partition: P, sort: 'c' })).toBeUndefined()
  })

  test('of groups that want the same item exactly one gets past it', async ({ engine }) => {
    const groups = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        putInOrder(engine.table, [put('same', n, 'absent'), put(`after-${n}`, n, 'absent')]),
      ),
    )
    const winners = groups.flatMap((results, n) => (results.length === 2 ? [n] : []))
    expect(winners).toHaveLength(1)
    expect(await engine.table.get({ partition: P, sort: 'same' })).toMatchObject({ value: winners[0] })
    const { items } = await engine.table.query({ partition: P, from: 'after-', to: 'after-~', limit: 10 })
    expect(items.map((item) => item.value)).toEqual(winners)
  })

  test('of no writes there is nothing to do', async ({ engine }) => {
    expect(await putInOrder(engine.table, [])).toEqual([])
  })

  test(
    'survive a kill',
    async (subject) => {
      await putInOrder(subject.engine.table, [put('a', 1, 'absent'), put('b', 2, 'absent')])
      const engine = await subject.reopen()
      expect(await engine.table.get({ partition: P, sort: 'a' })).toMatchObject({ value: 1 })
      expect(await engine.table.get({ partition: P, sort: 'b' })).toMatchObject({ value: 2 })
    },
    { needs: 'reopen' },
  )
}

function put(sort: string, value: number, expected: OrderedPut['expect']): OrderedPut {
  return { item: { partition: P, sort, value }, expect: expected }
}
