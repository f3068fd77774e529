import { KINESIS_LIMITS } from '@eddy/core'
import { describe, expect, test } from 'vitest'
import { Prng } from '../../src/clock/prng.ts'
import { VirtualClock } from '../../src/clock/virtual-clock.ts'
import { md5Hex } from '../../src/sim/store/stream-store.ts'
import { PacedStream, type PacedStreamOptions } from './support/paced-stream.ts'
import { writeRecords } from './support/write-records.ts'

/**
 * The producer within the limits of Kinesis, on the virtual clock: calls take 4 to 30 ms, there and back. The issue's
 * figure is half a million records; `EDDY_PACING_RECORDS=500000` plays as many. Fewer are harder, since what the writers
 * have to learn first weighs more.
 */
const RECORDS = Number(process.env.EDDY_PACING_RECORDS ?? 50_000)
const SEED = Number(process.env.EDDY_PACING_SEED ?? 1)
const SHARDS = 10
const RECORD_BYTES = 1_024 + 6

function world(options: Partial<PacedStreamOptions> = {}): { clock: VirtualClock; stream: PacedStream } {
  const clock = new VirtualClock({ seed: SEED, shuffleTies: true })
  return { clock, stream: new PacedStream({ clock, seed: SEED, shards: SHARDS, ...options }) }
}

/** Even keys: 90,000 of them, drawn evenly. */
function evenKeys(writer: number): () => string {
  const dice = new Prng(`${SEED}/keys/${writer}`)
  return () => `k${10_000 + dice.int(90_000)}`
}

/** The least time that the limits allow, were the keys spread without any chance. */
function boundMs(records: number): number {
  const { writeRecordsPerSecond, writeBytesPerSecond } = KINESIS_LIMITS
  const perSecond = Math.min(writeRecordsPerSecond, writeBytesPerSecond / RECORD_BYTES)
  return (records / SHARDS / perSecond) * 1_000
}

interface Play {
  readonly ms: number
  readonly resentShare: number
  /** When each writer was done. */
  readonly endsMs: readonly number[]
  /** What each had accepted when the first one was done. */
  readonly acceptedAtFirstEnd: readonly number[]
  readonly throttledShare: number
}

async function play(
  { clock, stream }: ReturnType<typeof world>,
  writers: number,
  records: number,
): Promise<Play> {
  const endsMs: number[] = []
  const accepted = new Array<number>(writers).fill(0)
  let acceptedAtFirstEnd: readonly number[] = []
  let resent = 0
  const writing = accepted.map(async (_, writer) => {
    const report = await writeRecords({
      log: stream.connect(),
      clock,
      count: records / writers,
      keyOf: evenKeys(writer),
      options: {
        onProgress: (progress) => {
          accepted[writer] = progress.accepted
        },
      },
    })
    if (endsMs.length === 0) acceptedAtFirstEnd = [...accepted]
    endsMs.push(clock.monotonicMs())
    resent += report.resent
    expect(report).toMatchObject({ end: 'done', accepted: records / writers, failed: 0 })
  })
  await clock.settle(Promise.all(writing))
  expect({ stored: stream.storedCount, copies: stream.copies, order: stream.orderViolations }).toEqual({
    stored: records,
    copies: 0,
    order: 0,
  })
  return {
    ms: clock.monotonicMs(),
    resentShare: resent / records,
    endsMs,
    acceptedAtFirstEnd,
    throttledShare: stream.entries.throttled / records,
  }
}

describe(`the pace of ${RECORDS} records of 1 KB into ${SHARDS} shards under the limits of Kinesis (seed ${SEED})`, () => {
  test('one writer takes no more than 1.1 times the bound, and nothing is sent twice', async () => {
    const { ms, resentShare } = await play(world(), 1, RECORDS)
    expect(ms / boundMs(RECORDS)).toBeLessThanOrEqual(1.1)
    expect(resentShare).toBeLessThanOrEqual(0.01)
  })

  test('eight writers that know nothing of each other: 1.1 times the bound, few records sent again, none starves', async () => {
    const records = RECORDS
    const { ms, resentShare, acceptedAtFirstEnd } = await play(world(), 8, records)
    expect(ms / boundMs(records)).toBeLessThanOrEqual(1.1)
    expect(resentShare).toBeLessThanOrEqual(0.08)
    // Equal shares would be all of them at once.
    expect(Math.min(...acceptedAtFirstEnd)).toBeGreaterThanOrEqual(0.5 * (records / 8))
  })

  test('on a log that takes one record of a key at a time, the same', async () => {
    const records = RECORDS / 2
    const { ms, resentShare } = await play(world({ keepsKeyOrder: false }), 1, records)
    expect(ms / boundMs(records)).toBeLessThanOrEqual(1.1)
    expect(resentShare).toBeLessThanOrEqual(0.01)
  })

  test('lost answers cost their copies and nothing else: each record is stored once, in order', async () => {
    const { clock, stream } = world({ lostAnswers: 0.02 })
    const records = 20_000
    const report = await clock.settle(
      writeRecords({ log: stream.connect(), clock, count: records, keyOf: evenKeys(0) }),
    )
    expect(report).toMatchObject({ end: 'done', accepted: records })
    expect({ stored: stream.storedCount, order: stream.orderViolations }).toEqual({
      stored: records,
      order: 0,
    })
    expect(stream.copies).toBeGreaterThan(0)
    expect(stream.copies).toBe(report.resent - report.throttled)
  })

  test('half of all records on one key: the other shards are done as if it were not there', async () => {
    const records = 20_000
    const hotShard = shardOf('hot')
    const othersMs = async (isHot: (n: number) => boolean, count: number): Promise<number> => {
      const { clock, stream } = world()
      const key = evenKeys(0)
      let lastMs = 0
      await clock.settle(
        writeRecords({
          log: stream.connect(),
          clock,
          count,
          keyOf: (n) => (isHot(n) ? 'hot' : key()),
          options: {
            onOutcome: (outcome, _index, { key: written }) => {
              if (outcome.ok && written !== 'hot' && shardOf(written) !== hotShard)
                lastMs = clock.monotonicMs()
            },
          },
        }),
      )
      expect(stream.storedCount).toBe(count)
      return lastMs
    }
    const withoutMs = await othersMs(() => false, records)
    const withHotMs = await othersMs((n) => n % 2 === 0, 2 * records)
    expect(withHotMs).toBeLessThanOrEqual(1.1 * withoutMs)
  })

  test('takes over the whole shard once another writer has left', async () => {
    const { clock, stream } = world()
    const first = writeRecords({ log: stream.connect(), clock, count: 40_000, keyOf: evenKeys(0) })
    const second = writeRecords({ log: stream.connect(), clock, count: 10_000, keyOf: evenKeys(1) })
    const reports = await clock.settle(Promise.all([first, second]))
    expect(clock.monotonicMs() / boundMs(50_000)).toBeLessThanOrEqual(1.35)
    for (const { recordsPerSecond } of reports[0].shards) expect(recordsPerSecond).toBeGreaterThan(900)
  })

  test('comes down to what a shard has free when others take half of it without regard', async () => {
    const { clock, stream } = world({ limits: { writeRecordsPerSecond: 1_000 } })
    const ending = new AbortController()
    const others = takeSteadily(stream, clock, ending.signal)
    const report = await clock.settle(
      writeRecords({ log: stream.connect(), clock, count: 50_000, keyOf: evenKeys(0) }),
    )
    ending.abort()
    await clock.settle(others)
    expect(report.accepted).toBe(50_000)
    // 500 a second of each shard are free: 10 seconds, less the second that the buckets hold at first.
    expect(clock.monotonicMs()).toBeLessThan(12_500)
    expect(report.throttled / 50_000).toBeLessThanOrEqual(0.1)
  })

  test('records that are larger than what may be sent at once go all the same', async () => {
    const { clock, stream } = world({ limits: { maxRecordBytes: 10 * 1_048_576 } })
    const report = await clock.settle(
      writeRecords({
        log: stream.connect(),
        clock,
        count: 6,
        keyOf: () => 'one',
        data: new Uint8Array(3 * 1_048_576),
        options: { ordering: 'key' },
      }),
    )
    expect(report).toMatchObject({ end: 'done', accepted: 6 })
    // 18 MiB at one a second, less what the bucket holds, and what is refused when one comes a moment early.
    expect(clock.monotonicMs()).toBeGreaterThan(13_000)
    expect(clock.monotonicMs()).toBeLessThan(30_000)
  })
})

const places = new Map<string, number>()

/** Of ten equal shards. */
function shardOf(key: string): number {
  let place = places.get(key)
  if (place === undefined) {
    place = Math.floor((Number.parseInt(md5Hex(key).slice(0, 8), 16) / 2 ** 32) * SHARDS)
    places.set(key, place)
  }
  return place
}

/** 500 records a second for each shard, refused or not. */
async function takeSteadily(stream: PacedStream, clock: VirtualClock, signal: AbortSignal): Promise<void> {
  const log = stream.connect()
  const key = evenKeys(99)
  const data = new Uint8Array(1_024)
  let producerSequence = 0
  while (!signal.aborted) {
    const entries = Array.from({ length: 500 }, () => {
      producerSequence += 1
      return { partitionKey: key(), data, producerId: 'others', producerSequence }
    })
    void log.append(stream.name, entries)
    await clock.sleep(100, signal)
  }
}
