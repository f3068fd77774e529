import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Aggregate } from '../../src/aggregate/aggregate.ts'
import { FRAME_BYTES, MAGIC } from '../../src/aggregate/aggregate-format.ts'
import { decodeAggregate } from '../../src/aggregate/decode-aggregate.ts'
import { AggregateBuilder, type AggregateEntry } from '../../src/aggregate/encode-aggregate.ts'

const encoder = new TextEncoder()

function md5(bytes: Uint8Array): Uint8Array {
  return createHash('md5').update(bytes).digest()
}

function encode(entries: readonly AggregateEntry[]): Uint8Array {
  const builder = new AggregateBuilder()
  for (const entry of entries) builder.add(entry)
  return builder.build(md5)
}

/** The message as a whole aggregate: magic before, its MD5 after. */
function framed(...message: number[]): Uint8Array {
  return Uint8Array.from([...MAGIC, ...message, ...md5(Uint8Array.from(message))])
}

function entriesOf(aggregate: Aggregate): AggregateEntry[] {
  return Array.from({ length: aggregate.count }, (_, index) => {
    const explicitHashKey = aggregate.explicitHashKey(index)
    const tags = aggregate.tags(index)
    return {
      partitionKey: aggregate.partitionKey(index),
      ...(explicitHashKey !== undefined && { explicitHashKey }),
      data: aggregate.data(index),
      ...(tags.length > 0 && { tags }),
    }
  })
}

const hashKey = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }).map(String)
const anyEntry = fc.record(
  {
    partitionKey: fc.oneof(
      fc.constantFrom('a', 'b'),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }),
    ),
    explicitHashKey: fc.oneof(fc.constantFrom('0', '7'), hashKey),
    data: fc.uint8Array({ maxLength: 300 }),
    tags: fc.array(fc.record({ key: fc.string(), value: fc.string() }, { requiredKeys: ['key'] }), {
      minLength: 1,
      maxLength: 3,
    }),
  },
  { requiredKeys: ['partitionKey', 'data'] },
)

test('what is put in comes out, in order: keys, explicit hash keys, data, tags; the size is known before', () => {
  fc.assert(
    fc.property(fc.array(anyEntry, { minLength: 1, maxLength: 200 }), (entries) => {
      const builder = new AggregateBuilder()
      for (const entry of entries) {
        const bytes = builder.bytesWith(entry)
        builder.add(entry)
        expect(builder.bytes).toBe(bytes)
      }
      const data = builder.build(md5)
      expect(data).toHaveLength(builder.bytes)
      expect(entriesOf(decodeAggregate(data, md5) as Aggregate)).toEqual(entries)
    }),
  )
})

test('an aggregate of 20,000 keys and one of 100,000 empty records are read', () => {
  const many = Array.from({ length: 20_000 }, (_, index) => ({
    partitionKey: `k${index}`,
    data: new Uint8Array(),
  }))
  const read = decodeAggregate(encode(many), md5) as Aggregate
  expect([read.count, read.partitionKey(19_999)]).toEqual([20_000, 'k19999'])
  const one = Array.from({ length: 100_000 }, () => ({ partitionKey: 'k', data: new Uint8Array() }))
  expect(decodeAggregate(encode(one), md5)?.count).toBe(100_000)
})

test('what an aggregate takes in memory beside its bytes is counted: 24 bytes a record, and its keys, used or not (I6)', () => {
  const record = [0x1a, 4, 8, 0, 0x1a, 0]
  const key = [0x0a, 1, 0x61]
  const one = decodeAggregate(framed(...key, ...record), md5)?.indexBytes as number
  const records = decodeAggregate(framed(...key, ...Array(10_000).fill(record).flat()), md5)
  expect(records?.indexBytes).toBe(one + 9_999 * 24)
  const keys = decodeAggregate(framed(...Array(10_000).fill(key).flat(), ...record), md5)
  expect(keys?.indexBytes).toBeGreaterThan(10_000 * 16)
  const hashKeys = decodeAggregate(
    framed(...key, ...Array(10_000).fill([0x12, 1, 0x30]).flat(), ...record),
    md5,
  )
  expect(hashKeys?.indexBytes).toBeGreaterThan(10_000 * 16)
})

test('a record taken out does not keep its aggregate in memory', () => {
  const aggregate = decodeAggregate(
    encode([
      { partitionKey: 'a', data: new Uint8Array(100_000) },
      { partitionKey: 'b', data: encoder.encode('small') },
    ]),
    md5,
  ) as Aggregate
  expect(aggregate.data(1).buffer.byteLength).toBe(5)
})

const KEY = [0x0a, 1, 0x61]
const RECORD = [0x1a, 4, 0x08, 0, 0x1a, 0]

test('tables may follow the records, and fields of a later version are passed over', () => {
  const unknown = [0x20, 0x96, 0x01, 0x29, 1, 2, 3, 4, 5, 6, 7, 8, 0x32, 2, 9, 9, 0x3d, 1, 2, 3, 4]
  const read = decodeAggregate(framed(...unknown, ...RECORD, ...KEY, ...unknown), md5) as Aggregate
  expect(entriesOf(read)).toEqual([{ partitionKey: 'a', data: new Uint8Array() }])
})

test.each<[string, number[]]>([
  ['no records', KEY],
  ['no key table', RECORD],
  ['a key index beyond the table', [...KEY, 0x1a, 4, 0x08, 1, 0x1a, 0]],
  [
    'a key index of 64 bits',
    [...KEY, 0x1a, 13, 0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 0x1a, 0],
  ],
  ['a hash key index without a table', [...KEY, 0x1a, 6, 0x08, 0, 0x10, 0, 0x1a, 0]],
  ['a record without data', [...KEY, 0x1a, 2, 0x08, 0]],
  ['a record without a key', [...KEY, 0x1a, 2, 0x1a, 0]],
  ['data longer than its record', [...KEY, 0x1a, 4, 0x08, 0, 0x1a, 9]],
  ['a record longer than the message', [...KEY, 0x1a, 9, 0x08, 0, 0x1a, 0]],
  ['an empty key', [0x0a, 0, ...RECORD]],
  ['a key that is not UTF-8', [0x0a, 1, 0xff, ...RECORD]],
  ['a hash key that is no number', [...KEY, 0x12, 1, 0x61, ...RECORD]],
  [
    'a varint without an end',
    [...KEY, ...RECORD, 0x20, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255],
  ],
  ['a group', [...KEY, ...RECORD, 0x23]],
  ['field number 0', [...KEY, ...RECORD, 0x00, 0]],
])('an aggregate with %s is a record like any other', (_, message) => {
  expect(decodeAggregate(framed(...message), md5)).toBeUndefined()
})

test('a wrong checksum, another magic, or nothing behind it: a record like any other', () => {
  const data = encode([{ partitionKey: 'a', data: encoder.encode('x') }])
  expect(decodeAggregate(data, md5)?.count).toBe(1)
  for (const at of [0, 3, 5, data.length - 1]) {
    const broken = data.slice()
    broken[at] = (broken[at] as number) ^ 1
    expect(decodeAggregate(broken, md5)).toBeUndefined()
  }
  expect(decodeAggregate(data.subarray(0, FRAME_BYTES), md5)).toBeUndefined()
})

test('hostile messages under a right checksum are read or refused, and never throw', () => {
  const message = encode([
    {
      partitionKey: 'a',
      explicitHashKey: '12',
      data: encoder.encode('xyz'),
      tags: [{ key: 't', value: 'v' }],
    },
    { partitionKey: 'bü', data: new Uint8Array(40) },
  ]).slice(MAGIC.length, -16)
  const change = fc.tuple(fc.nat({ max: message.length - 1 }), fc.nat({ max: 255 }))
  const damaged = fc
    .tuple(fc.array(change, { maxLength: 4 }), fc.nat({ max: message.length }))
    .map(([changes, length]) => {
      const bytes = Array.from(message)
      for (const [at, byte] of changes) bytes[at] = byte
      return bytes.slice(0, length)
    })
  const anything = fc.array(fc.nat({ max: 255 }), { maxLength: 80 })
  fc.assert(
    fc.property(fc.oneof(damaged, anything), (bytes) => {
      const aggregate = decodeAggregate(framed(...bytes), md5)
      if (aggregate === undefined) return
      for (const entry of entriesOf(aggregate)) expect(entry.partitionKey.length).toBeGreaterThan(0)
      expect([...aggregate.placedBy()].length).toBeLessThanOrEqual(aggregate.count)
    }),
    { numRuns: 2_000 },
  )
})
