import { compareSequence } from '@eddy/core'
import { expect } from 'vitest'
import { type ContractTest, expectCode } from '../support/contract-test.ts'
import {
  entry,
  HASH_KEY_SPACE,
  onlyShard,
  readOn,
  request,
  spec,
  startOf,
  store,
  textOf,
} from '../support/log-samples.ts'

export function appendTests(test: ContractTest): void {
  test('what was appended is read back: key, explicit hash key, bytes, arrival time', async ({
    engine,
    options,
  }) => {
    await engine.log.createStream(spec('orders'))
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
    const before = startOf(engine.clock.now(), options)
    const [first, second, third] = await store(engine.log, 'orders', [
      { partitionKey: 'käse', data: bytes },
      { partitionKey: 'b', data: new Uint8Array(0), explicitHashKey: '12345' },
      { partitionKey: 'x'.repeat(256), data: Buffer.from('of a pool') },
    ])
    const { shardId } = await onlyShard(engine.log, 'orders')
    const { records } = await readOn(engine.log, request('orders', shardId))
    const byNumber = new Map(records.map((record) => [record.sequenceNumber, record]))
    const one = byNumber.get(first?.sequenceNumber ?? '')
    const two = byNumber.get(second?.sequenceNumber ?? '')
    const three = byNumber.get(third?.sequenceNumber ?? '')
    expect(records).toHaveLength(3)
    expect(one?.partitionKey).toBe('käse')
    expect(Uint8Array.from(one?.data ?? [])).toEqual(bytes)
    expect(one?.explicitHashKey).toBeUndefined()
    expect(two?.partitionKey).toBe('b')
    expect(two?.explicitHashKey).toBe(options.log?.forgetsHashKeys === true ? undefined : '12345')
    expect(two?.data.byteLength).toBe(0)
    expect(new TextDecoder().decode(three?.data)).toBe('of a pool')
    for (const record of records) {
      expect(record.sequenceNumber).toMatch(/^(0|[1-9]\d*)$/)
      expect(record.arrivedAtMs).toBeGreaterThanOrEqual(before)
      expect(record.arrivedAtMs).toBeLessThanOrEqual(engine.clock.now())
    }
  })

  test('results come in request order, one an entry, each naming where its record is', async ({ engine }) => {
    await engine.log.createStream(spec('orders', { shardCount: 4 }))
    const entries = Array.from({ length: 200 }, (_, i) => entry(`key-${i}`, `value-${i}`))
    const stored = await store(engine.log, 'orders', entries)
    const found = new Map<string, string>()
    for (const { shardId } of await engine.log.listShards('orders')) {
      for (const record of (await readOn(engine.log, request('orders', shardId))).records) {
        found.set(`${shardId}/${record.sequenceNumber}`, textOf(record))
      }
    }
    expect(found.size).toBe(200)
    for (const [i, result] of stored.entries()) {
      expect(found.get(`${result.shardId}/${result.sequenceNumber}`)).toBe(`value-${i}`)
    }
  })
}

export function orderTests(test: ContractTest): void {
  test('entries of one shard get increasing sequence numbers in request order, over many calls', async ({
    engine,
    faulty,
  }) => {
    await engine.log.createStream(spec('orders', { shardCount: 2 }))
    const lastOf = new Map<string, string>()
    for (let call = 0; call < 20; call++) {
      const entries = Array.from({ length: 10 }, (_, i) => entry(`key-${i}`, `${call}:${i}`))
      // On a faulty engine a resent entry comes after its successors: only whole calls compare.
      const highest = new Map<string, string>()
      for (const { shardId, sequenceNumber } of await store(engine.log, 'orders', entries)) {
        const before = lastOf.get(shardId)
        if (before !== undefined) expect(compareSequence(before, sequenceNumber)).toBeLessThan(0)
        const top = highest.get(shardId)
        if (top === undefined || compareSequence(top, sequenceNumber) < 0)
          highest.set(shardId, sequenceNumber)
        if (!faulty) lastOf.set(shardId, sequenceNumber)
      }
      for (const [shardId, sequenceNumber] of highest) lastOf.set(shardId, sequenceNumber)
    }
  })

  test('records are read in sequence order, with arrival times that never fall', async (subject) => {
    const { engine } = subject
    await engine.log.createStream(spec('orders'))
    for (let call = 0; call < 5; call++) {
      await Promise.all([0, 1, 2].map((i) => store(engine.log, 'orders', [entry('k', `${call}:${i}`)])))
      await subject.advance(3)
    }
    const { shardId } = await onlyShard(engine.log, 'orders')
    const { records } = await readOn(engine.log, request('orders', shardId, { maxRecords: 4 }))
    expect(records).toHaveLength(15)
    for (const [i, record] of records.slice(1).entries()) {
      const previous = records[i]
      expect(compareSequence(previous?.sequenceNumber ?? '', record.sequenceNumber)).toBeLessThan(0)
      expect(record.arrivedAtMs).toBeGreaterThanOrEqual(previous?.arrivedAtMs ?? Number.NaN)
    }
  })

  test('many concurrent appends are all stored, once each', async ({ engine }) => {
    await engine.log.createStream(spec('orders', { shardCount: 3 }))
    const stored = await Promise.all(
      Array.from({ length: 60 }, (_, i) => store(engine.log, 'orders', [entry(`key-${i % 7}`, `${i}`)])),
    )
    expect(new Set(stored.flat().map((one) => `${one.shardId}/${one.sequenceNumber}`)).size).toBe(60)
    const texts: string[] = []
    for (const { shardId } of await engine.log.listShards('orders')) {
      texts.push(...(await readOn(engine.log, request('orders', shardId))).records.map(textOf))
    }
    expect(texts.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, i) => i))
  })
}

export function appendBoundTests(test: ContractTest): void {
  test('a wrong entry fails alone, for good', async ({ engine }) => {
    await engine.log.createStream(spec('orders'))
    const wrong = [
      entry('', 'empty key'),
      entry('x'.repeat(257), 'long key'),
      entry('k', 'negative', { explicitHashKey: '-1' }),
      entry('k', 'not a number', { explicitHashKey: '0x10' }),
      entry('k', 'beyond the space', { explicitHashKey: HASH_KEY_SPACE.toString() }),
    ]
    const results = await engine.log.append('orders', [entry('k', 'first'), ...wrong, entry('k', 'last')])
    expect(results.map((result) => result.ok)).toEqual([true, false, false, false, false, false, true])
    for (const result of results.slice(1, -1)) {
      expect(result).toMatchObject({ ok: false, code: 'invalid', retryable: false })
    }
    const { shardId } = await onlyShard(engine.log, 'orders')
    const { records } = await readOn(engine.log, request('orders', shardId))
    expect(records.map(textOf).sort()).toEqual(['first', 'last'])
  })

  test('an entry over the engine limit is too large, alone', async ({ engine, options }) => {
    const limit = options.maxRecordBytes
    if (limit === undefined) return
    await engine.log.createStream(spec('orders'))
    const results = await engine.log.append('orders', [
      { partitionKey: 'k', data: new Uint8Array(limit) },
      { partitionKey: 'k', data: new Uint8Array(limit + 1) },
    ])
    expect(results[0]).toMatchObject({ ok: true })
    expect(results[1]).toMatchObject({ ok: false, code: 'too-large', retryable: false })
  })

  test('bounds: 0 and 500 entries are taken, 501 refused as a whole', async ({ engine }) => {
    await engine.log.createStream(spec('orders'))
    expect(await engine.log.append('orders', [])).toEqual([])
    const entries = Array.from({ length: 501 }, (_, i) => entry('k', String(i)))
    await expectCode(engine.log.append('orders', entries), 'EDDY_INVALID_OPTION')
    await store(engine.log, 'orders', entries.slice(1))
    const { shardId } = await onlyShard(engine.log, 'orders')
    expect((await readOn(engine.log, request('orders', shardId))).records).toHaveLength(500)
  })
}

export function appendCopyTests(test: ContractTest): void {
  test('what is stored shares no memory with what was handed in or out', async ({ engine }) => {
    await engine.log.createStream(spec('orders'))
    const data = new TextEncoder().encode('clean')
    const appended = engine.log.append('orders', [{ partitionKey: 'k', data }])
    await appended
    data.fill(120)
    const { shardId } = await onlyShard(engine.log, 'orders')
    const [first] = (await readOn(engine.log, request('orders', shardId))).records
    expect(first && textOf(first)).toBe('clean')
    first?.data.fill(120)
    const [again] = (await readOn(engine.log, request('orders', shardId))).records
    expect(again && textOf(again)).toBe('clean')
  })

  test(
    'I1: what was acknowledged is there after a kill',
    async (subject) => {
      await subject.engine.log.createStream(spec('orders', { durability: 'fsync' }))
      const stored = await store(subject.engine.log, 'orders', [entry('a', 'one'), entry('b', 'two')])
      let engine = await subject.reopen()
      const [more] = await store(engine.log, 'orders', [entry('a', 'three')])
      for (const { sequenceNumber } of stored) {
        expect(compareSequence(sequenceNumber, more?.sequenceNumber ?? '')).toBeLessThan(0)
      }
      engine = await subject.reopen()
      const { shardId } = await onlyShard(engine.log, 'orders')
      const { records } = await readOn(engine.log, request('orders', shardId))
      expect(records.map(textOf).sort()).toEqual(['one', 'three', 'two'])
    },
    { needs: 'reopen' },
  )
}
