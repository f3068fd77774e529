import type { Engine } from '@eddy/core'
import { expect } from 'vitest'
import type { ContractTest } from '../support/contract-test.ts'
import {
  entry,
  HASH_KEY_SPACE,
  onlyShard,
  readOn,
  request,
  type Stored,
  spec,
  store,
  textOf,
} from '../support/log-samples.ts'

export function duplicateTests(contractTest: ContractTest): void {
  const test: ContractTest = (name, body, options) => contractTest(name, body, { ...options, ofCopies: true })
  const first = entry('k', 'one', { producerId: 'p', producerSequence: 1 })

  test('a copy in the same call is answered as stored, not stored again', async ({ engine, faulty }) => {
    await engine.log.createStream(spec('orders'))
    const other = entry('k', 'two', { producerId: 'p', producerSequence: 2 })
    const stored = await store(engine.log, 'orders', [first, first, other, first])
    expectSamePlace([stored[0], stored[1], stored[3]])
    if (!faulty) expect(stored.map((one) => one.duplicate)).toEqual([false, true, false, true])
    expect(await allTexts(engine)).toEqual(['one', 'two'])
  })

  test('a copy in a later call is answered with the first place', async ({ engine, faulty }) => {
    await engine.log.createStream(spec('orders'))
    const [original] = await store(engine.log, 'orders', [first])
    for (let i = 0; i < 10; i++) await store(engine.log, 'orders', [entry('k', `between ${i}`)])
    const [copy] = await store(engine.log, 'orders', [first])
    expect(copy?.duplicate).toBe(true)
    if (!faulty) expect(original?.duplicate).toBe(false)
    expectSamePlace([original, copy])
    expect(await allTexts(engine)).toHaveLength(11)
  })

  test('copies in concurrent calls are stored once', async ({ engine, faulty }) => {
    await engine.log.createStream(spec('orders'))
    const stored = await Promise.all([0, 1, 2, 3].map(() => store(engine.log, 'orders', [first])))
    expectSamePlace(stored.flat())
    if (!faulty) expect(stored.flat().filter((one) => !one.duplicate)).toHaveLength(1)
    expect(await allTexts(engine)).toEqual(['one'])
  })

  test('another producer, number or stream, or no producer at all, is no copy', async ({ engine }) => {
    await engine.log.createStream(spec('orders'))
    await engine.log.createStream(spec('others'))
    await store(engine.log, 'others', [first])
    await store(engine.log, 'orders', [
      first,
      { ...first, producerId: 'q' },
      { ...first, producerSequence: 2 },
      entry('k', 'one'),
      entry('k', 'one'),
    ])
    expect(await allTexts(engine)).toHaveLength(5)
  })

  test('the numbers of a producer need not come in order', async ({ engine }) => {
    await engine.log.createStream(spec('orders'))
    const numbered = (producerSequence: number): ReturnType<typeof entry> =>
      entry('k', `number ${producerSequence}`, { producerId: 'p', producerSequence })
    await store(engine.log, 'orders', [numbered(5), numbered(3)])
    await store(engine.log, 'orders', [numbered(4), numbered(3), numbered(5)])
    expect((await allTexts(engine)).sort()).toEqual(['number 3', 'number 4', 'number 5'])
  })

  test('a copy is known after a split', async ({ engine }) => {
    await engine.log.createStream(spec('orders'))
    const { shardId } = await onlyShard(engine.log, 'orders')
    const [original] = await store(engine.log, 'orders', [first])
    await engine.log.split('orders', shardId, (HASH_KEY_SPACE / 2n).toString())
    const [copy] = await store(engine.log, 'orders', [first])
    expectSamePlace([original, copy])
  })

  test(
    'a copy is known after a kill',
    async (subject) => {
      await subject.engine.log.createStream(spec('orders', { durability: 'fsync' }))
      const [original] = await store(subject.engine.log, 'orders', [first])
      const engine = await subject.reopen()
      const [copy] = await store(engine.log, 'orders', [first])
      expect(copy?.duplicate).toBe(true)
      expectSamePlace([original, copy])
      expect(await allTexts(engine)).toEqual(['one'])
    },
    { needs: 'reopen' },
  )
}

function expectSamePlace(stored: readonly (Stored | undefined)[]): void {
  const places = stored.map((one) => `${one?.shardId}/${one?.sequenceNumber}`)
  expect(new Set(places).size).toBe(1)
}

async function allTexts(engine: Engine): Promise<string[]> {
  const { shardId } = await onlyShard(engine.log, 'orders')
  return (await readOn(engine.log, request('orders', shardId))).records.map(textOf)
}
