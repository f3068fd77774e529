import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeAggregate } from '../../src/aggregate/decode-aggregate.ts'
import { HashRange } from '../../src/aggregate/hash-range.ts'
import { StorageError } from '../../src/errors/engine-errors.ts'
import { equalShardRanges, MAX_HASH_KEY, shardRangeContains } from '../../src/model/hash-key.ts'
import type { AppendEntry, AppendResult, ShardInfo } from '../../src/ports/log.ts'
import { AggregatingLog, type AggregatingOptions } from '../../src/produce/aggregating-log.ts'

const HALF = 1n << 127n
const THROTTLED: AppendResult = { ok: false, code: 'throttled', retryable: true, message: 'slow down' }
const engine = {
  md5Hex: (text: string): string => createHash('md5').update(text).digest('hex'),
  md5: (bytes: Uint8Array): Uint8Array => createHash('md5').update(bytes).digest(),
}

interface Stored {
  readonly entry: AppendEntry
  readonly shardId: string
  readonly sequenceNumber: string
}

/** Stores what it gets, in shards; `answer` may refuse an entry or throw. */
class ShardedLog {
  readonly keepsKeyOrder = false
  readonly dropsCopies = false
  readonly stored: Stored[] = []
  readonly calls: (readonly AppendEntry[])[] = []
  listings = 0
  shards: ShardInfo[]
  answer: (entry: AppendEntry, call: number) => AppendResult | undefined = () => undefined

  constructor(count: number) {
    this.shards = equalShardRanges(count).map((range, index) => shard(`s${index}`, range))
  }

  async describeStream(): Promise<object> {
    return {}
  }

  async listShards(): Promise<readonly ShardInfo[]> {
    this.listings += 1
    return this.shards
  }

  async append(_stream: string, entries: readonly AppendEntry[]): Promise<readonly AppendResult[]> {
    this.calls.push(entries)
    return entries.map((entry) => {
      const refused = this.answer(entry, this.calls.length)
      if (refused !== undefined) return refused
      const { shardId } = this.shardOf(entry)
      const sequenceNumber = String(1_000 + this.stored.length)
      this.stored.push({ entry, shardId, sequenceNumber })
      return { ok: true, shardId, sequenceNumber, duplicate: false }
    })
  }

  shardOf({ partitionKey, explicitHashKey }: AppendEntry): ShardInfo {
    const hash = explicitHashKey ?? BigInt(`0x${engine.md5Hex(partitionKey)}`).toString()
    return this.shards.find(
      (one) => one.endingSequenceNumber === undefined && shardRangeContains(one, hash),
    ) as ShardInfo
  }

  split(shardId: string): void {
    const parent = this.shards.find((one) => one.shardId === shardId) as ShardInfo
    const middle = (BigInt(parent.startingHashKey) + BigInt(parent.endingHashKey)) / 2n
    this.shards = [
      ...this.shards.filter((one) => one !== parent),
      { ...parent, endingSequenceNumber: '1' },
      shard(`${shardId}l`, { startingHashKey: parent.startingHashKey, endingHashKey: middle.toString() }),
      shard(`${shardId}r`, {
        startingHashKey: (middle + 1n).toString(),
        endingHashKey: parent.endingHashKey,
      }),
    ]
  }

  /** What readers hand to a handler, in the order in which it was stored. */
  handled(): AppendEntry[] {
    return this.stored.flatMap(({ entry, shardId }) => {
      const aggregate = decodeAggregate(entry.data, engine.md5)
      if (aggregate === undefined) return [entry]
      const range = this.shards.find((one) => one.shardId === shardId) as ShardInfo
      if (!new HashRange(range, engine.md5Hex).holdsAllOf(aggregate)) return []
      return Array.from({ length: aggregate.count }, (_, index) => {
        const explicitHashKey = aggregate.explicitHashKey(index)
        return {
          partitionKey: aggregate.partitionKey(index),
          ...(explicitHashKey !== undefined && { explicitHashKey }),
          data: aggregate.data(index),
        }
      })
    })
  }
}

function shard(shardId: string, range: { startingHashKey: string; endingHashKey: string }): ShardInfo {
  return { shardId, ...range, parentShardIds: [], depth: 0, startingSequenceNumber: '0' }
}

function entry(key: string, text: string, explicitHashKey?: string): AppendEntry {
  const data = new TextEncoder().encode(text)
  return { partitionKey: key, data, ...(explicitHashKey !== undefined && { explicitHashKey }) }
}

function textsOf(entries: readonly AppendEntry[]): string[] {
  return entries.map(({ data }) => new TextDecoder().decode(data))
}

function setup(shards: number, options: AggregatingOptions = {}) {
  const log = new ShardedLog(shards)
  let nowMs = 0
  const clock = { monotonicMs: () => nowMs }
  const pass = (ms: number): void => {
    nowMs += ms
  }
  return { log, pass, aggregating: new AggregatingLog(log, engine, clock, options) }
}

describe('an aggregating log', () => {
  test('puts the entries of one shard into one record, which lands there; each entry has its result', async () => {
    const { log, aggregating } = setup(2)
    const entries = ['a', 'b', 'c', 'd', 'e', 'f'].flatMap((key) => [
      entry(key, `${key}1`),
      entry(key, `${key}2`),
    ])
    const results = await aggregating.append('s', entries)
    expect(log.stored).toHaveLength(2)
    for (const { entry: stored, shardId } of log.stored) expect(log.shardOf(stored).shardId).toBe(shardId)
    expect(textsOf(log.handled()).sort()).toEqual(textsOf(entries).sort())
    for (const [index, one] of entries.entries())
      expect(results[index]).toMatchObject({ ok: true, shardId: log.shardOf(one).shardId })
  })

  test('explicit hash keys place entries, and are in the aggregate', async () => {
    const { log, aggregating } = setup(2)
    const entries = [
      entry('k', '1', '0'),
      entry('k', '2', MAX_HASH_KEY),
      entry('k', '3', '7'),
      entry('k', '4', `${HALF}`),
    ]
    await aggregating.append('s', entries)
    expect(log.stored.map(({ shardId }) => shardId)).toEqual(['s0', 's1'])
    expect(log.handled()).toEqual([entries[0], entries[2], entries[1], entries[3]])
  })

  test('a record alone goes as it is, and so does one that is larger than an aggregate may be', async () => {
    const { log, aggregating } = setup(1, { maxBytes: 1_024 })
    const large = entry('a', 'x'.repeat(1_100))
    const results = await aggregating.append('s', [large, entry('b', 'small'), entry('a', 'after')])
    expect(log.calls.map((call) => call.length)).toEqual([2, 1])
    expect(log.stored.map((stored) => stored.entry)).toEqual([
      large,
      entry('b', 'small'),
      entry('a', 'after'),
    ])
    expect(results.every(({ ok }) => ok)).toBe(true)
  })

  test('no key is in two records of one append: what has no room follows in the next (I3)', async () => {
    const { log, aggregating } = setup(1, { maxBytes: 1_024 })
    const entries = Array.from({ length: 40 }, (_, index) =>
      entry(index % 2 === 0 ? 'hot' : `k${index}`, `${index}`.repeat(50)),
    )
    await aggregating.append('s', entries)
    expect(log.calls.length).toBeGreaterThan(1)
    for (const call of log.calls) {
      const withHot = call.filter(({ data, partitionKey }) => {
        const aggregate = decodeAggregate(data, engine.md5)
        if (aggregate === undefined) return partitionKey === 'hot'
        return Array.from({ length: aggregate.count }, (_, index) => aggregate.partitionKey(index)).includes(
          'hot',
        )
      })
      expect(withHot.length).toBeLessThanOrEqual(1)
    }
    for (const { entry: stored } of log.stored) expect(stored.data.length).toBeLessThanOrEqual(1_024)
    const hot = (list: readonly AppendEntry[]): string[] =>
      textsOf(list.filter(({ partitionKey }) => partitionKey === 'hot'))
    expect(hot(log.handled())).toEqual(hot(entries))
  })

  test('what follows a refused record of its key is refused with it and not sent', async () => {
    const { log, aggregating } = setup(1, { maxBytes: 1_024 })
    log.answer = (_, call) => (call === 1 ? THROTTLED : undefined)
    const results = await aggregating.append(
      's',
      Array.from({ length: 10 }, (_, index) => entry('hot', `${index}`.repeat(400))),
    )
    expect(results).toEqual(Array.from({ length: 10 }, () => THROTTLED))
    expect(log.calls).toHaveLength(1)
  })

  test('a later append that throws: what was stored before is known, the rest in doubt', async () => {
    const { log, aggregating } = setup(1, { maxBytes: 1_024 })
    log.answer = (_, call) => {
      if (call === 2) throw new StorageError('gone')
      return undefined
    }
    const results = await aggregating.append(
      's',
      Array.from({ length: 5 }, (_, index) => entry('hot', `${index}`.repeat(400))),
    )
    expect(results.map((result) => (result.ok ? 'ok' : `${result.code} ${result.retryable}`))).toEqual([
      'ok',
      'ok',
      'internal true',
      'internal true',
      'internal true',
    ])
    log.answer = () => {
      throw new StorageError('gone')
    }
    await expect(aggregating.append('s', [entry('a', '1'), entry('b', '2')])).rejects.toThrow('gone')
  })

  test('strict: one aggregate after another, each after the last, and nothing overtakes', async () => {
    const { log, aggregating } = setup(1, { maxBytes: 1_024, isStrict: true })
    const sizes = [400, 400, 400, 10, 400, 1_500, 10, 10]
    const entries = sizes.map((size, index) => ({
      ...entry(`k${index}`, `${index}`.repeat(size)),
      orderedAfter: '999',
    }))
    await aggregating.append('s', entries)
    expect(textsOf(log.handled())).toEqual(textsOf(entries))
    expect(log.calls.every((call) => call.length === 1)).toBe(true)
    const named = log.stored.map((stored) => stored.entry.orderedAfter)
    expect(named).toEqual(['999', ...log.stored.slice(0, -1).map(({ sequenceNumber }) => sequenceNumber)])
  })

  test('strict: after a refusal nothing of the call follows', async () => {
    const { log, aggregating } = setup(1, { maxBytes: 1_024, isStrict: true })
    log.answer = (_, call) => (call === 2 ? THROTTLED : undefined)
    const results = await aggregating.append(
      's',
      ['a', 'b', 'c', 'd'].map((key) => entry(key, key.repeat(600))),
    )
    expect(results.map(({ ok }) => ok)).toEqual([true, false, false, false])
    expect(log.calls).toHaveLength(2)
  })

  test('an aggregate that a split tore apart is refused, sent again by the new map, and handled once', async () => {
    const { log, aggregating, pass } = setup(1)
    const entries = ['a', 'b', 'c', 'd', 'e', 'f'].map((key) => entry(key, key))
    await aggregating.append('s', entries)
    log.split('s0')
    pass(2_000)
    const torn = await aggregating.append('s', entries)
    expect(torn.map((result) => (result.ok ? 'ok' : result.code))).toEqual(entries.map(() => 'internal'))
    expect((await aggregating.append('s', entries)).every(({ ok }) => ok)).toBe(true)
    expect(textsOf(log.handled()).sort()).toEqual([...textsOf(entries), ...textsOf(entries)].sort())
    expect(log.listings).toBe(2)
  })

  test('an aggregate that landed elsewhere but whole is accepted', async () => {
    const { log, aggregating, pass } = setup(1)
    const entries = [entry('a', '1', '1'), entry('b', '2', '2')]
    await aggregating.append('s', entries)
    log.split('s0')
    pass(2_000)
    const results = await aggregating.append('s', entries)
    expect(results).toMatchObject([
      { ok: true, shardId: 's0l' },
      { ok: true, shardId: 's0l' },
    ])
    expect(log.handled()).toHaveLength(4)
  })

  test('any entries, sent again until accepted, through throttles and splits: all handled, keys in order (I3)', async () => {
    const anyEntry = fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      hash: fc.option(fc.constantFrom('0', '5', `${HALF}`, MAX_HASH_KEY), { nil: undefined, freq: 4 }),
      bytes: fc.integer({ min: 1, max: 600 }),
    })
    const refusals = fc.array(fc.boolean(), { maxLength: 30 })
    const property = fc.asyncProperty(
      fc.array(anyEntry, { minLength: 1, maxLength: 60 }),
      refusals,
      fc.array(fc.nat({ max: 8 }), { maxLength: 3 }),
      async (list, refused, splits) => {
        const { log, aggregating, pass } = setup(2, { maxBytes: 1_024 })
        let asked = 0
        log.answer = () => {
          if (splits.includes(asked)) {
            const open = log.shards.filter((one) => one.endingSequenceNumber === undefined)
            log.split((open[asked % open.length] as ShardInfo).shardId)
          }
          asked += 1
          return refused[asked] === true ? THROTTLED : undefined
        }
        let waiting = list.map(({ key, hash, bytes }, index) =>
          entry(key, `${String(index).padStart(3, '0')}${'x'.repeat(bytes)}`, hash),
        )
        for (let tries = 0; waiting.length > 0; tries += 1) {
          expect(tries).toBeLessThan(100)
          pass(2_000)
          const results = await aggregating.append('s', waiting)
          waiting = waiting.filter((_, index) => results[index]?.ok !== true)
        }
        const handled = log.handled()
        expect(handled).toHaveLength(list.length)
        const last = new Map<string, string>()
        for (const one of handled) {
          const lane = `${one.partitionKey}/${one.explicitHashKey}`
          const [text] = textsOf([one]) as [string]
          expect(text > (last.get(lane) ?? '')).toBe(true)
          last.set(lane, text)
        }
      },
    )
    await fc.assert(property, { numRuns: 150 })
  })
})
