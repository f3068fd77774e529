import type { TableValue } from '@eddy/core'
import { expect } from 'vitest'
import { type ContractTest, expectCode } from '../support/contract-test.ts'

const KEY = { partition: 'values', sort: 'one' }

export function valueTests(test: ContractTest): void {
  test('JSON values come back as they were', async ({ engine }) => {
    const values: TableValue[] = [
      null,
      true,
      false,
      0,
      -1.5,
      1e300,
      Number.MAX_SAFE_INTEGER,
      '',
      'zwölf \u{1f600} \u0000 "quoted"\n',
      [],
      {},
      [1, [2, [3, null]], { a: [] }],
      { a: { b: { c: 'deep' } }, 'odd key \u{1f600}': 1, '': 'empty name', __proto: 1 },
    ]
    for (const [i, value] of values.entries()) {
      const key = { partition: 'values', sort: `v${i}` }
      await engine.table.put({ ...key, value }, 'any')
      expect((await engine.table.get(key))?.value).toStrictEqual(value)
    }
  })

  test('bytes come back as bytes, anywhere in a value', async ({ engine }) => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
    const value = {
      payload: bytes,
      list: [bytes.subarray(10, 20), new Uint8Array(0)],
      pooled: Buffer.from('pool'),
    }
    await engine.table.put({ ...KEY, value }, 'any')
    const back = (await engine.table.get<typeof value>(KEY))?.value
    expect(back?.payload).toBeInstanceOf(Uint8Array)
    expect(Array.from(back?.payload ?? [])).toEqual(Array.from(bytes))
    expect(Array.from(back?.list[0] ?? [])).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19])
    expect(back?.list[1]?.byteLength).toBe(0)
    expect(Buffer.from(back?.pooled ?? []).toString()).toBe('pool')
    await engine.table.put({ ...KEY, value: bytes }, 'any')
    expect(Array.from((await engine.table.get<Uint8Array>(KEY))?.value ?? [])).toEqual(Array.from(bytes))
  })

  test('undefined members are not stored', async ({ engine }) => {
    const value = {
      kept: 1,
      gone: undefined,
      inner: { gone: undefined, kept: null },
      list: [{ gone: undefined }],
    }
    await engine.table.put({ ...KEY, value }, 'any')
    expect((await engine.table.get(KEY))?.value).toStrictEqual({ kept: 1, inner: { kept: null }, list: [{}] })
  })

  test('values of 1 MiB, as text and as bytes', async ({ engine }) => {
    const text = 'é'.repeat(512 * 1_024)
    const bytes = new Uint8Array(1_024 * 1_024).map((_, i) => i % 251)
    await engine.table.put({ ...KEY, value: { text } }, 'any')
    await engine.table.put({ ...KEY, sort: 'two', value: { bytes } }, 'any')
    expect((await engine.table.get<{ text: string }>(KEY))?.value.text === text).toBe(true)
    const back = (await engine.table.get<{ bytes: Uint8Array }>({ ...KEY, sort: 'two' }))?.value.bytes
    expect(back !== undefined && Buffer.compare(back, bytes) === 0).toBe(true)
  })

  test('what is stored shares nothing with what was handed in or out', async ({ engine }) => {
    const value = { list: ['clean'], bytes: new Uint8Array([1]) }
    await engine.table.put({ ...KEY, value }, 'any')
    value.list.push('dirty')
    value.bytes[0] = 9
    const first = await engine.table.get<{ list: string[]; bytes: Uint8Array }>(KEY)
    expect([first?.value.list, first?.value.bytes[0]]).toEqual([['clean'], 1])
    first?.value.list.push('dirty')
    first?.value.bytes.fill(9)
    const again = await engine.table.get<{ list: string[]; bytes: Uint8Array }>(KEY)
    expect([again?.value.list, again?.value.bytes[0]]).toEqual([['clean'], 1])
  })
}

export function keyTests(test: ContractTest): void {
  test('getMany answers in the order of the keys, undefined where there is none', async ({ engine }) => {
    const keys = ['c', 'none', 'a', 'c', 'b'].map((sort) => ({ partition: 'many', sort }))
    for (const sort of ['a', 'b', 'c'])
      await engine.table.put({ partition: 'many', sort, value: sort }, 'any')
    const items = await engine.table.getMany(keys)
    expect(items.map((item) => item?.value)).toEqual(['c', undefined, 'a', 'c', 'b'])
    expect(await engine.table.getMany([])).toEqual([])
  })

  test('bounds: 1,000 keys, 1,024 bytes of sort key', async ({ engine }) => {
    const keys = Array.from({ length: 1_001 }, (_, i) => ({ partition: 'p', sort: String(i) }))
    expect(await engine.table.getMany(keys.slice(1))).toHaveLength(1_000)
    await expectCode(engine.table.getMany(keys), 'EDDY_INVALID_OPTION')
    const longest = 'é'.repeat(512)
    expect(await engine.table.put({ partition: 'p', sort: longest, value: 1 }, 'any')).toMatchObject({
      ok: true,
    })
    expect((await engine.table.get({ partition: 'p', sort: longest }))?.sort).toBe(longest)
    await expectCode(
      engine.table.put({ partition: 'p', sort: `${longest}x`, value: 1 }, 'any'),
      'EDDY_INVALID_OPTION',
    )
  })

  test('partitions are separate, whatever their names', async ({ engine }) => {
    const keys = [
      { partition: 'a', sort: 'b/c' },
      { partition: 'a/b', sort: 'c' },
      { partition: 'a\u0000b', sort: 'c' },
      { partition: 'a', sort: 'b\u0000c' },
      { partition: 'ab', sort: 'c' },
    ]
    for (const [i, key] of keys.entries()) await engine.table.put({ ...key, value: i }, 'absent')
    for (const [i, key] of keys.entries())
      expect(await engine.table.get(key)).toMatchObject({ ...key, value: i })
    expect(await engine.table.count('a')).toBe(2)
    expect(await engine.table.count('a\u0000b')).toBe(1)
  })
}

export function expiryTests(test: ContractTest): void {
  test('an expired item is not returned in any way, and another may take its place', async (subject) => {
    const { table, clock } = subject.engine
    const index = { partition: 'by-status', sort: 's' }
    const expiresAtMs = clock.now() + 40
    await table.put({ partition: 'p', sort: 'gone', value: 1, expiresAtMs, index }, 'any')
    await table.put({ partition: 'p', sort: 'stays', value: 2, expiresAtMs: clock.now() + 3_600_000 }, 'any')
    await subject.advance(60)
    expect((await table.query({ partition: 'p', limit: 10 })).items.map((item) => item.sort)).toEqual([
      'stays',
    ])
    expect((await table.query({ partition: 'by-status', byIndex: true, limit: 10 })).items).toEqual([])
    expect([await table.count('p'), await table.count('by-status', true)]).toEqual([1, 0])
    expect(await table.get({ partition: 'p', sort: 'gone' })).toBeUndefined()
    expect(await table.getMany([{ partition: 'p', sort: 'gone' }])).toEqual([undefined])
    expect(await table.put({ partition: 'p', sort: 'gone', value: 3 }, 1)).toEqual({
      ok: false,
      current: undefined,
    })
    expect(await table.put({ partition: 'p', sort: 'gone', value: 4 }, 'absent')).toEqual({
      ok: true,
      version: 1,
    })
    expect(await table.get({ partition: 'p', sort: 'gone' })).toEqual({
      partition: 'p',
      sort: 'gone',
      value: 4,
      version: 1,
    })
  })

  test('an item is there, with its time and index, until it expires', async ({ engine }) => {
    const item = {
      ...KEY,
      value: 'v',
      expiresAtMs: engine.clock.now() + 3_600_000,
      index: { partition: 'i', sort: 's' },
    }
    await engine.table.put(item, 'any')
    expect(await engine.table.get(KEY)).toEqual({ ...item, version: 1 })
  })

  test('a write without a time takes the time away', async (subject) => {
    const { table, clock } = subject.engine
    await table.put({ ...KEY, value: 'short', expiresAtMs: clock.now() + 40 }, 'any')
    await table.put({ ...KEY, value: 'long' }, 'any')
    await subject.advance(60)
    expect((await table.get(KEY))?.value).toBe('long')
  })
}
