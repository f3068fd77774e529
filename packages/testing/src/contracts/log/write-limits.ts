import type { AppendResult } from '@eddy/core'
import { expect } from 'vitest'
import { Prng } from '../../clock/prng.ts'
import { type ContractTest, expectCode } from '../support/contract-test.ts'
import { fates, HIGH, LOW, limits, sized } from '../support/limit-samples.ts'
import { entry, onlyShard, readOn, request, spec, textOf } from '../support/log-samples.ts'

const FIVE_RECORDS = limits({ writeRecordsPerSecond: 5 })

export function writeLimitTests(test: ContractTest): void {
  test('records over the rate are throttled one by one, and fit again as time passes', async (subject) => {
    const { log } = subject.engine
    await log.createStream(spec('orders', { limits: FIVE_RECORDS }))
    const entries = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((key) => entry(key, key))
    const first = await log.append('orders', entries)
    expect(fates(first)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok', 'throttled', 'throttled'])
    expect(first[5]).toEqual({
      ok: false,
      code: 'throttled',
      retryable: true,
      message: 'Rate exceeded for shard shardId-000000000000 in stream orders under account 000000000000.',
    })
    await subject.advance(200)
    expect(fates(await log.append('orders', entries.slice(5)))).toEqual(['ok', 'throttled'])
    await subject.advance(5_000)
    expect(fates(await log.append('orders', entries))).toEqual(fates(first))
    const { shardId } = await onlyShard(log, 'orders')
    const { records } = await readOn(log, request('orders', shardId))
    expect(records.map(textOf).join('')).toBe('abcdefabcde')
  })

  test('bytes over the rate are throttled; the bytes of the key count', async (subject) => {
    const { log } = subject.engine
    await log.createStream(spec('orders', { limits: limits({ writeBytesPerSecond: 1_000 }) }))
    const first = await log.append('orders', [sized('k€y', 600), sized('b', 401), sized('c', 400)])
    expect(fates(first)).toEqual(['ok', 'throttled', 'ok'])
    await subject.advance(500)
    expect(fates(await log.append('orders', [sized('d', 510), sized('e', 500)]))).toEqual(['throttled', 'ok'])
  })

  test('a shard over its limits leaves the others of the stream theirs', async ({ engine: { log } }) => {
    await log.createStream(spec('orders', { shardCount: 2, limits: limits({ writeRecordsPerSecond: 2 }) }))
    const entries = ['a', 'b', 'c'].flatMap((key) => [entry(key, '', LOW), entry(key, '', HIGH)])
    expect(fates(await log.append('orders', [...entries.slice(0, 1), ...entries.slice(2, 3)]))).toEqual([
      'ok',
      'ok',
    ])
    expect(fates(await log.append('orders', entries))).toEqual([
      'throttled',
      'ok',
      'throttled',
      'ok',
      'throttled',
      'throttled',
    ])
  })

  test('I3: once an entry is throttled, so are the later ones of its key, and none of other keys', async ({
    engine: { log },
  }) => {
    await log.createStream(spec('orders', { limits: limits({ writeBytesPerSecond: 1_000 }) }))
    const entries = [sized('a', 600), sized('b', 500), sized('b', 10), sized('a', 10), sized('b', 1)]
    expect(fates(await log.append('orders', entries))).toEqual([
      'ok',
      'throttled',
      'throttled',
      'ok',
      'throttled',
    ])
  })

  test('I3: entries of one key under several hash keys of a shard keep their order, those of other shards go', async ({
    engine: { log },
  }) => {
    await log.createStream(spec('orders', { shardCount: 2, limits: limits({ writeBytesPerSecond: 1_000 }) }))
    const entries = [sized('a', 900, LOW), sized('a', 200, LOW), sized('a', 10, { explicitHashKey: '5' })]
    expect(fates(await log.append('orders', [...entries, sized('a', 10, HIGH)]))).toEqual([
      'ok',
      'throttled',
      'throttled',
      'ok',
    ])
  })

  test('for a caller who asks for no order, an entry is refused alone', async ({ engine: { log } }) => {
    await log.createStream(spec('orders', { limits: limits({ writeBytesPerSecond: 1_000 }) }))
    const entries = [sized('a', 600), sized('b', 500), sized('b', 10), sized('b', 500), sized('b', 1)]
    expect(fates(await log.append('orders', entries, { keyOrder: 'free' }))).toEqual([
      'ok',
      'throttled',
      'ok',
      'throttled',
      'ok',
    ])
  })

  test('a record over a second of the rate goes when nothing was written, and is owed', async (subject) => {
    const { log } = subject.engine
    const tight = limits({ writeBytesPerSecond: 1_000, maxRecordBytes: 10_000 })
    await log.createStream(spec('orders', { limits: tight }))
    expect(fates(await log.append('orders', [sized('small', 100), sized('large', 3_000)]))).toEqual([
      'ok',
      'throttled',
    ])
    await subject.advance(110)
    expect(fates(await log.append('orders', [sized('large', 3_000), sized('small', 100)]))).toEqual([
      'ok',
      'throttled',
    ])
    await subject.advance(1_900)
    expect(fates(await log.append('orders', [sized('small', 100)]))).toEqual(['throttled'])
    await subject.advance(300)
    expect(fates(await log.append('orders', [sized('small', 100)]))).toEqual(['ok'])
  })

  test('a copy of what is stored spends nothing', async ({ engine: { log } }) => {
    if (!log.dropsCopies) return
    await log.createStream(spec('orders', { limits: FIVE_RECORDS }))
    const marked = ['a', 'b', 'c'].map((key, producerSequence) =>
      entry(key, key, { producerId: 'p', producerSequence }),
    )
    expect(fates(await log.append('orders', marked))).toEqual(['ok', 'ok', 'ok'])
    for (let i = 0; i < 3; i++) {
      const copies = await log.append('orders', marked.slice(0, 2))
      expect(copies).toMatchObject([{ duplicate: true }, { duplicate: true }])
    }
    expect(
      fates(
        await log.append(
          'orders',
          ['d', 'e', 'f'].map((key) => entry(key, key)),
        ),
      ),
    ).toEqual(['ok', 'ok', 'throttled'])
  })

  test('the children of a split have limits of their own', async ({ engine: { log } }) => {
    await log.createStream(spec('orders', { limits: limits({ writeRecordsPerSecond: 1 }) }))
    const { shardId } = await onlyShard(log, 'orders')
    expect(fates(await log.append('orders', [entry('a', '', LOW), entry('b', '', HIGH)]))).toEqual([
      'ok',
      'throttled',
    ])
    await log.split('orders', shardId, (2n ** 127n).toString())
    expect(fates(await log.append('orders', [entry('a', '', LOW), entry('b', '', HIGH)]))).toEqual([
      'ok',
      'ok',
    ])
  })

  test('a stream that was deleted and created again begins anew', async ({ engine: { log } }) => {
    for (let i = 0; i < 2; i++) {
      await log.createStream(spec('orders', { limits: FIVE_RECORDS }))
      const results = await log.append(
        'orders',
        Array.from({ length: 6 }, (_, index) => entry(`${index}`, '')),
      )
      expect(fates(results).filter((fate) => fate === 'ok')).toHaveLength(5)
      await log.deleteStream('orders')
    }
  })

  test('a stream without limits refuses nothing', async ({ engine: { log } }) => {
    await log.createStream(spec('orders'))
    for (let i = 0; i < 5; i++) {
      const entries = Array.from({ length: 500 }, (_, index) => sized(`${index}`, 5_000))
      expect(new Set(fates(await log.append('orders', entries)))).toEqual(new Set(['ok']))
    }
    expect(log.throttled?.()).toEqual([])
  })

  test('I3: sending again what was refused keeps each key in order, and stores everything once', async (subject) => {
    const { log } = subject.engine
    if (!log.keepsKeyOrder) return
    const tight = limits({ writeRecordsPerSecond: 7, writeBytesPerSecond: 400 })
    await log.createStream(spec('orders', { shardCount: 2, limits: tight }))
    const chance = new Prng('limits')
    let open = Array.from({ length: 60 }, (_, index) =>
      entry(chance.pick(['a', 'b', 'c', 'd']), `${index}`.padEnd(10 + chance.int(290), '.')),
    )
    const sent = open
    for (let call = 0; call < 500 && open.length > 0; call++) {
      const results: readonly AppendResult[] = await log.append('orders', open)
      open = open.filter((_, index) => results[index]?.ok === false)
      await subject.advance(100)
    }
    expect(open).toEqual([])
    const stored: { readonly key: string; readonly text: string }[] = []
    for (const { shardId } of await log.listShards('orders')) {
      await subject.advance(10_000)
      const { records } = await readOn(log, request('orders', shardId))
      stored.push(...records.map((record) => ({ key: record.partitionKey, text: textOf(record) })))
    }
    expect(stored).toHaveLength(60)
    for (const key of ['a', 'b', 'c', 'd']) {
      const expected = sent.filter((one) => one.partitionKey === key)
      expect(stored.filter((one) => one.key === key).map(({ text }) => text)).toEqual(
        expected.map(({ data }) => new TextDecoder().decode(data)),
      )
    }
  })
}

export function requestLimitTests(test: ContractTest): void {
  test('a record over the limit fails alone and for good; the key counts', async ({ engine: { log } }) => {
    await log.createStream(spec('orders', { limits: limits({ maxRecordBytes: 100 }) }))
    const results = await log.append('orders', [sized('k', 101), sized('ké', 100), sized('k', 100)])
    expect(fates(results)).toEqual(['too-large', 'ok', 'ok'])
    expect(results[0]).toMatchObject({ retryable: false })
  })

  test('a key over the limit is invalid, alone', async ({ engine: { log } }) => {
    await log.createStream(spec('orders', { limits: limits({ maxPartitionKeyCharacters: 3 }) }))
    expect(fates(await log.append('orders', [entry('keys', ''), entry('key', '')]))).toEqual([
      'invalid',
      'ok',
    ])
  })

  test('an entry that the log refuses spends nothing', async ({ engine: { log } }) => {
    await log.createStream(spec('orders', { limits: limits({ writeRecordsPerSecond: 1 }) }))
    const wrong = [entry('', 'no key'), entry('k', 'no place', { explicitHashKey: '-1' })]
    expect(fates(await log.append('orders', wrong))).toEqual(['invalid', 'invalid'])
    expect(fates(await log.append('orders', [entry('k', '')]))).toEqual(['ok'])
  })

  test('a request over the limits is refused as a whole: nothing of it is stored or spent', async ({
    engine: { log },
  }) => {
    const tight = limits({ maxEntries: 3, maxRequestBytes: 300, writeRecordsPerSecond: 3 })
    await log.createStream(spec('orders', { limits: tight }))
    const four = Array.from({ length: 4 }, (_, index) => entry(`${index}`, ''))
    await expectCode(log.append('orders', four), 'EDDY_INVALID_OPTION')
    await expectCode(log.append('orders', [sized('a', 150), sized('b', 151)]), 'EDDY_INVALID_OPTION')
    const { shardId } = await onlyShard(log, 'orders')
    expect((await readOn(log, request('orders', shardId))).records).toEqual([])
    expect(fates(await log.append('orders', [sized('a', 150), sized('b', 150)]))).toEqual(['ok', 'ok'])
  })
}
