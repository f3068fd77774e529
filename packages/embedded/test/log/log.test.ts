import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { AppendEntry, ReadRequest } from '@eddy/core'
import { md5Hex, openEmbedded } from '@eddy/embedded'
import { describe, expect, test } from 'vitest'
import { tableCrc32 } from '../../src/log/crc32.ts'
import {
  entries,
  expectDense,
  movableClock,
  openEngine,
  readAll,
  streamSpec,
} from '../support/open-engine.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const HOUR_MS = 3_600_000
const SHARD = 'shardId-000000000000'

function readRequest(more: Partial<ReadRequest> = {}): ReadRequest {
  const from = { at: 'trim_horizon' } as const
  return { stream: 's', shardId: SHARD, from, maxRecords: 10_000, maxBytes: 50_000_000, waitMs: 0, ...more }
}

test('records lie where MD5 and the 128-bit ranges of Kinesis put them', async () => {
  const { log } = await openEngine()
  await log.createStream(streamSpec('s', { shardCount: 7 }))
  const shards = await log.listShards('s')
  const batch = entries(300).map((entry, i) => ({ ...entry, partitionKey: `ключ ${i} 🔑` }))
  const results = await log.append('s', batch)
  results.forEach((result, i) => {
    const hash = BigInt(
      `0x${createHash('md5')
        .update(batch[i]?.partitionKey as string, 'utf8')
        .digest('hex')}`,
    )
    const home = shards.find((s) => BigInt(s.startingHashKey) <= hash && hash <= BigInt(s.endingHashKey))
    expect(result).toMatchObject({ ok: true, shardId: home?.shardId })
  })
  expect(shards.at(-1)?.endingHashKey).toBe(String(2n ** 128n - 1n))
  expect(BigInt(shards[0]?.endingHashKey as string) + 1n).toBe(2n ** 128n / 7n)
})

test('md5Hex and the checksum for Node versions without crc32 agree with the published vectors', () => {
  expect(md5Hex('')).toBe('d41d8cd98f00b204e9800998ecf8427e')
  expect(md5Hex('message digest')).toBe('f96b697d7cb7938d525a2f31aaf161d0')
  expect(tableCrc32(Buffer.from('123456789'))).toBe(0xcbf43926)
  expect(tableCrc32(Buffer.from('6789'), tableCrc32(Buffer.from('12345')))).toBe(0xcbf43926)
})

test('arrival never falls within a shard, though the clock jumps back', async () => {
  const clock = movableClock()
  const { log } = await openEngine({ clock })
  await log.createStream(streamSpec('s'))
  for (const leapMs of [0, -HOUR_MS, -HOUR_MS, 3 * HOUR_MS]) {
    clock.leap(leapMs)
    await log.append('s', entries(5))
  }
  const arrivals = (await readAll(log, 's')).map((record) => record.arrivedAtMs)
  expect(arrivals).toEqual([...arrivals].sort((a, b) => a - b))
  expect(arrivals).toHaveLength(20)
})

test('retention tells a reader how many records it lost (I2), and numbers go on after everything expired', async () => {
  const clock = movableClock()
  const dataDir = join(await temporaryFolder(), 'data')
  const engine = await openEmbedded({ dataDir, clock })
  const { log } = engine
  await log.createStream(streamSpec('s', { retentionMs: HOUR_MS }))
  for (let i = 0; i < 40; i++) await log.append('s', entries(10))
  const before = await log.read(readRequest({ maxRecords: 100 }))
  clock.leap(2 * HOUR_MS)
  await expect.poll(() => engine.stats().expiredRecords, { timeout: 10_000 }).toBe(400)
  await log.append('s', entries(3))
  const after = await log.read(readRequest(before.next === undefined ? {} : { from: before.next }))
  expect(after.expiredRecords).toBe(300)
  expect(after.records.map((record) => record.sequenceNumber)).toEqual([
    '1000000000000400',
    '1000000000000401',
    '1000000000000402',
  ])
  clock.leap(2 * HOUR_MS)
  await expect.poll(() => engine.stats().expiredRecords, { timeout: 10_000 }).toBe(403)
  await engine.close()
  const again = await openEngine({ dataDir, clock })
  const [result] = await again.log.append('s', entries(1))
  expect(result).toMatchObject({ sequenceNumber: '1000000000000403' })
})

test('I2: at every moment while retention removes records, a reader gets them or is told of them', async () => {
  const clock = movableClock()
  const { log } = await openEngine({ clock })
  await log.createStream(streamSpec('s', { retentionMs: HOUR_MS }))
  for (let i = 0; i < 40; i++) await log.append('s', entries(10))
  clock.leap(2 * HOUR_MS)
  const from = { at: 'at_sequence_number', sequenceNumber: '1000000000000000' } as const
  for (let expired = 0; expired < 400; ) {
    const result = await log.read(readRequest({ from }))
    expired = result.expiredRecords
    expect(expired + result.records.length).toBe(400)
    await clock.sleep(0)
  }
})

test('a timestamp leads to the first record at or after it, over many chunks', async () => {
  const clock = movableClock()
  const { log } = await openEngine({ clock })
  await log.createStream(streamSpec('s'))
  for (let i = 0; i < 60; i++) {
    clock.leap(1_000)
    await log.append('s', entries(1 + (i % 5)))
  }
  const all = await readAll(log, 's')
  const times = [0, ...all.flatMap((r) => [r.arrivedAtMs - 1, r.arrivedAtMs, r.arrivedAtMs + 1])]
  for (const timestampMs of times) {
    const { records } = await log.read(readRequest({ from: { at: 'at_timestamp', timestampMs } }))
    const expected = all.filter((record) => record.arrivedAtMs >= timestampMs)
    expect(records.map((r) => r.sequenceNumber)).toEqual(expected.map((r) => r.sequenceNumber))
  }
})

test('reads of any size see each record once, in order, whole', async () => {
  const { log } = await openEngine()
  await log.createStream(streamSpec('s'))
  const sizes = [0, 1, 100, 70_000, 1_500_000]
  const sent: AppendEntry[] = Array.from({ length: 60 }, (_, i) => ({
    partitionKey: 'k'.repeat(1 + (i % 256)),
    data: Buffer.alloc(sizes[i % sizes.length] as number, i),
    ...(i % 3 === 0 ? { explicitHashKey: String(i) } : {}),
  }))
  for (let i = 0; i < sent.length; i += 7) await log.append('s', sent.slice(i, i + 7))
  for (const [maxRecords, maxBytes] of [
    [1, 1],
    [7, 10_000],
    [1_000, 2_000_000],
  ] as const) {
    const got = []
    const digests: (string | number)[][] = []
    let from: ReadRequest['from'] | undefined = { at: 'trim_horizon' }
    while (from !== undefined) {
      const asked = readRequest({ from, maxRecords, maxBytes })
      const result = await log.read(asked)
      got.push(...result.records)
      const each = await log.readEach?.(
        asked,
        ({ sequenceNumber, bytes, keyStart, keyEnd, dataStart, dataEnd }) =>
          digests.push([sequenceNumber, keyEnd - keyStart, digest(bytes.subarray(dataStart, dataEnd))]),
      )
      expect(each).toMatchObject({ records: result.records.length, next: result.next })
      from = result.records.length === 0 ? undefined : result.next
    }
    expect(digests).toEqual(
      got.map(({ sequenceNumber, partitionKey, data }) => [
        sequenceNumber,
        partitionKey.length,
        digest(data),
      ]),
    )
    expectDense(got)
    expect(
      got.map(({ partitionKey, explicitHashKey, data }) => [partitionKey, explicitHashKey, data.length]),
    ).toEqual(
      sent.map(({ partitionKey, explicitHashKey, data }) => [partitionKey, explicitHashKey, data.length]),
    )
    for (const [i, { data }] of got.entries()) expect(data.every((byte) => byte === i % 256)).toBe(true)
  }
})

function digest(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex')
}

test('appends, splits and merges at once: nothing lost, children above their parents, order kept per key', async () => {
  const { log } = await openEngine()
  await log.createStream(streamSpec('s', { shardCount: 2 }))
  let isDone = false
  let sent = 0
  const appending = Promise.all(
    ['a', 'b', 'c'].map(async (writer) => {
      for (let i = 0; !isDone; i++) {
        const batch = Array.from({ length: 20 }, (_, k) => ({
          partitionKey: `${writer}-${k}`,
          data: Buffer.from(String(i)),
        }))
        const results = await log.append('s', batch)
        expect(results.every((result) => result.ok)).toBe(true)
        sent += 20
      }
    }),
  )
  for (let round = 0; round < 6; round++) {
    const open = (await log.listShards('s')).filter((shard) => shard.endingSequenceNumber === undefined)
    open.sort((x, y) => (BigInt(x.startingHashKey) < BigInt(y.startingHashKey) ? -1 : 1))
    const [first, second] = open
    if (first === undefined || second === undefined) throw new Error('expected two open shards')
    if (round % 2 === 0) {
      const middle = (BigInt(first.startingHashKey) + BigInt(first.endingHashKey)) / 2n
      await log.split('s', first.shardId, String(middle))
    } else {
      await log.merge('s', first.shardId, second.shardId)
    }
  }
  isDone = true
  await appending
  const shards = await log.listShards('s')
  const byId = new Map(shards.map((shard) => [shard.shardId, shard]))
  const perKey = new Map<string, number[]>()
  let read = 0
  for (const shard of shards) {
    const records = await readAll(log, 's', shard.shardId)
    read += records.length
    for (const parent of shard.parentShardIds) {
      const end = BigInt(byId.get(parent)?.endingSequenceNumber as string)
      expect(BigInt(shard.startingSequenceNumber)).toBeGreaterThan(end)
    }
    for (const { partitionKey, data } of records) {
      const seen = perKey.get(partitionKey) ?? []
      seen.push(Number(Buffer.from(data).toString()))
      perKey.set(partitionKey, seen)
    }
  }
  expect(read).toBe(sent)
  for (const seen of perKey.values()) expect(seen).toEqual([...seen].sort((x, y) => x - y))
})

describe('producer window', () => {
  const numbered = (from: number, count: number): AppendEntry[] =>
    entries(count).map((entry, i) => ({ ...entry, producerId: 'p', producerSequence: from + i }))

  test('a copy is answered with the first place, after a reopen too, in the same call and in the same commit', async () => {
    const dataDir = join(await temporaryFolder(), 'data')
    const engine = await openEmbedded({ dataDir })
    await engine.log.createStream(streamSpec('s', { shardCount: 3 }))
    const [first, again] = await Promise.all([
      engine.log.append('s', numbered(2_000, 100)),
      engine.log.append('s', [...numbered(2_050, 100), ...numbered(2_149, 1)]),
    ])
    expect(again.slice(0, 50)).toEqual(first.slice(50).map((result) => ({ ...result, duplicate: true })))
    expect(again.slice(50, 100).every((result) => result.ok && !result.duplicate)).toBe(true)
    expect(again[100]).toEqual({ ...again[99], duplicate: true })
    await engine.close()
    const { log } = await openEngine({ dataDir })
    const copies = await log.append('s', numbered(2_000, 100))
    expect(copies).toEqual(first.map((result) => ({ ...result, duplicate: true })))
    const fresh = await log.append('s', numbered(2_150, 1))
    expect(fresh).toMatchObject([{ duplicate: false }])
  })

  test('outside the window of one hour a copy is new again', async () => {
    const clock = movableClock()
    const { log } = await openEngine({ clock })
    await log.createStream(streamSpec('s'))
    await log.append('s', numbered(1, 5))
    clock.leap(HOUR_MS / 2)
    expect(await log.append('s', numbered(1, 1))).toMatchObject([{ duplicate: true }])
    clock.leap(HOUR_MS)
    expect(await log.append('s', numbered(1, 1))).toMatchObject([{ duplicate: false }])
  })

  test('outside the window of 1,000,000 sequences a copy is new again', async () => {
    const { log } = await openEngine()
    await log.createStream(streamSpec('s'))
    await log.append('s', numbered(1, 2))
    await log.append('s', numbered(1_000_001, 1))
    expect(await log.append('s', numbered(1, 2))).toMatchObject([{ duplicate: false }, { duplicate: true }])
  })
})

test('a waiting reader is woken by an append, a split, a deletion and the close of the engine', async () => {
  const { log, close } = await openEngine().then((engine) => ({
    log: engine.log,
    close: () => engine.close(),
  }))
  await log.createStream(streamSpec('s'))
  const wait = (shardId = SHARD): ReturnType<typeof log.read> =>
    log.read(readRequest({ shardId, from: { at: 'latest' }, waitMs: 60_000 }))
  const appended = wait()
  await log.append('s', entries(1))
  expect((await appended).records).toHaveLength(1)
  const split = wait()
  const [child] = await log.split('s', SHARD, String(2n ** 127n))
  expect(await split).toMatchObject({ records: [], next: undefined })
  const deleted = wait(child?.shardId)
  await log.deleteStream('s')
  await expect(deleted).rejects.toMatchObject({ code: 'EDDY_STREAM_NOT_FOUND' })
  await log.createStream(streamSpec('s'))
  const closed = wait()
  await close()
  expect(await closed).toMatchObject({ records: [] })
  await expect(log.append('s', entries(1))).rejects.toMatchObject({ code: 'EDDY_ENGINE_CLOSED' })
})
