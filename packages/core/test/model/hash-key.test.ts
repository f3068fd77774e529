import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  equalShardRanges,
  hashKeyFromHex,
  hashKeyToHex,
  InvalidOptionError,
  isHashKey,
  MAX_HASH_KEY,
  midpointHashKey,
  rangesAdjoin,
  shardRangeContains,
} from '../../src/index.ts'

const hashKey = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }).map(String)

describe('hash keys', () => {
  test('the space is that of 128 bits', () => {
    expect(MAX_HASH_KEY).toBe('340282366920938463463374607431768211455')
    expect(hashKeyFromHex('f'.repeat(32))).toBe(MAX_HASH_KEY)
    expect(hashKeyToHex('0')).toBe('0'.repeat(32))
  })

  test('hex and decimal are two forms of one key', () => {
    fc.assert(
      fc.property(hashKey, (key) => {
        expect(isHashKey(key)).toBe(true)
        expect(hashKeyFromHex(hashKeyToHex(key))).toBe(key)
      }),
    )
  })

  test.each([
    ['340282366920938463463374607431768211456'],
    ['-1'],
    ['01'],
    ['1.5'],
    [''],
    ['0x1'],
    [5],
    [undefined],
  ])('%j is none', (value) => {
    expect(isHashKey(value)).toBe(false)
    expect(() => hashKeyToHex(value as string)).toThrow(InvalidOptionError)
  })

  test('text that is not 32 hex digits is refused', () => {
    for (const hex of ['', 'f'.repeat(31), 'g'.repeat(32)])
      expect(() => hashKeyFromHex(hex)).toThrow(InvalidOptionError)
  })
})

describe('shard ranges', () => {
  test('three shards lie as in Kinesis', () => {
    expect(equalShardRanges(3)).toEqual([
      { startingHashKey: '0', endingHashKey: '113427455640312821154458202477256070484' },
      {
        startingHashKey: '113427455640312821154458202477256070485',
        endingHashKey: '226854911280625642308916404954512140969',
      },
      {
        startingHashKey: '226854911280625642308916404954512140970',
        endingHashKey: '340282366920938463463374607431768211455',
      },
    ])
  })

  test('tile the space: every key lies in exactly one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_024 }), hashKey, (count, key) => {
        const ranges = equalShardRanges(count)
        expect(ranges[0]?.startingHashKey).toBe('0')
        expect(ranges.at(-1)?.endingHashKey).toBe(MAX_HASH_KEY)
        for (let index = 1; index < count; index += 1) {
          expect(rangesAdjoin(ranges[index - 1] as never, ranges[index] as never)).toBe(true)
        }
        expect(ranges.filter((range) => shardRangeContains(range, key)).length).toBe(1)
      }),
    )
  })

  test('the midpoint parts a range into two that adjoin and are equal but for one key', () => {
    fc.assert(
      fc.property(hashKey, hashKey, (a, b) => {
        const [low, high] = BigInt(a) < BigInt(b) ? [a, b] : [b, a]
        const middle = midpointHashKey({ startingHashKey: low, endingHashKey: high })
        if (low === high) {
          expect(middle).toBeUndefined()
          return
        }
        const lower = BigInt(middle as string) - BigInt(low)
        const upper = BigInt(high) - BigInt(middle as string) + 1n
        expect(lower).toBeGreaterThan(0n)
        expect([0n, 1n]).toContain(upper - lower)
      }),
    )
  })

  test.each([[0], [1_025], [1.5], [Number.NaN]])('%d shards are refused', (count) => {
    expect(() => equalShardRanges(count)).toThrow(InvalidOptionError)
  })
})
