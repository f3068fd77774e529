import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { AggregateBuilder } from '../../src/aggregate/encode-aggregate.ts'
import type { ReadPosition } from '../../src/aggregate/read-position.ts'
import type { Slice } from '../../src/consume/read-window.ts'
import { ShardReader } from '../../src/consume/shard-reader.ts'
import { MAX_HASH_KEY } from '../../src/model/hash-key.ts'
import { recordName } from '../../src/model/record-name.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import type { Engine } from '../../src/ports/engine.ts'
import type { LogRecord, ReadRequest, ReadResult } from '../../src/ports/log.ts'

const md5 = (bytes: Uint8Array): Uint8Array => createHash('md5').update(bytes).digest()
const md5Hex = (text: string): string => createHash('md5').update(text).digest('hex')

/** A closed shard: `counts` says of each record how many user records it holds; 0: it is no aggregate. */
function closedShard(counts: readonly number[]) {
  const records = counts.map((count, index): LogRecord => {
    const builder = new AggregateBuilder()
    for (let sub = 0; sub < count; sub += 1)
      builder.add({ partitionKey: `k${sub % 3}`, data: Uint8Array.of(index, sub % 256) })
    const data = count === 0 ? Uint8Array.of(index) : builder.build(md5)
    return { sequenceNumber: String(100 + index), partitionKey: 'a', data, arrivedAtMs: index }
  })
  const asked: ReadRequest[] = []
  const read = async (request: ReadRequest): Promise<ReadResult> => {
    asked.push(request)
    if (asked.length > 10_000) throw new Error('it reads without end')
    const { from } = request
    const first =
      from.at === 'trim_horizon'
        ? 0
        : 'sequenceNumber' in from
          ? Number(from.sequenceNumber) - 100 + (from.at === 'after_sequence_number' ? 1 : 0)
          : records.length
    const found = records.slice(first, first + request.maxRecords)
    const last = found.at(-1)
    const isEnd = first + found.length >= records.length
    const next = { at: 'after_sequence_number', sequenceNumber: last?.sequenceNumber ?? '99' } as const
    return { records: found, next: isEnd ? undefined : next, millisBehindLatest: 0, expiredRecords: 0 }
  }
  const engine = { log: { read }, clock: { monotonicMs: () => 0 }, md5, md5Hex } as unknown as Engine
  const shard = {
    shardId: 's',
    startingHashKey: '0',
    endingHashKey: MAX_HASH_KEY,
    parentShardIds: [],
    depth: 0,
    startingSequenceNumber: '99',
  }
  const stream = {
    name: 'x',
    shardCount: 1,
    retentionMs: 1,
    durability: 'fsync',
    streamId: 'x',
    createdAtMs: 0,
  } as const
  const never = new AbortController().signal
  const reader = new ShardReader(engine, silentLogger, stream, shard, never, () => false)
  const names = counts.flatMap((count, index) =>
    count === 0
      ? [String(100 + index)]
      : Array.from({ length: count }, (_, sub) =>
          recordName({ sequenceNumber: String(100 + index), subSequenceNumber: sub }),
        ),
  )
  const take = (from: ReadPosition, most: number): Promise<Slice> => reader.take(from, most, never)
  return { take, asked, names }
}

/** Everything from a position on, in slices of at most `most`. */
async function readAll(
  take: (from: ReadPosition, most: number) => Promise<Slice>,
  from: ReadPosition,
  most: number,
): Promise<string[]> {
  const names: string[] = []
  for (let position: ReadPosition | undefined = from; position !== undefined; ) {
    const slice: Slice = await take(position, most)
    expect(slice.records.length).toBeLessThanOrEqual(most)
    names.push(...slice.records.map(recordName))
    position = slice.next
  }
  return names
}

const COUNTS = [0, 5, 0, 0, 300, 1, 2, 0, 40]

test.each([1, 3, 7, 100, 1_000])(
  'in the window: slices of %d, every record once and in order',
  async (most) => {
    const { take, names } = closedShard(COUNTS)
    expect(await readAll(take, { at: 'trim_horizon' }, most)).toEqual(names)
  },
)

test.each([1, 3, 7, 100, 1_000])(
  'behind the window: slices of %d, every record once and in order',
  async (most) => {
    const { take, names } = closedShard(COUNTS)
    // Somebody else is at the end: the window begins there.
    await take({ at: 'at_sequence_number', sequenceNumber: '107' }, 1)
    expect(await readAll(take, { at: 'trim_horizon' }, most)).toEqual(names)
  },
)

test('whoever has not got to the end of the window is behind, though the window is at the end of the shard', async () => {
  const { take } = closedShard(COUNTS)
  const behind: boolean[] = []
  for (let position: ReadPosition | undefined = { at: 'trim_horizon' }; position !== undefined; ) {
    const slice: Slice = await take(position, 100)
    behind.push(slice.millisBehindLatest > 0)
    position = slice.next
  }
  expect(behind).toEqual([true, true, true, false])
})

test('behind the window an aggregate of 5,000 records is read once, by two who are at different places of it', async () => {
  const { take, asked, names } = closedShard([5_000, 0, 0])
  await take({ at: 'at_sequence_number', sequenceNumber: '102' }, 1)
  const [first, second] = await Promise.all([
    readAll(take, { at: 'trim_horizon' }, 10),
    readAll(take, { at: 'at_sub_sequence_number', sequenceNumber: '100', subSequenceNumber: 2_000 }, 9),
  ])
  expect(first).toEqual(names)
  expect(second).toEqual(names.slice(2_000))
  // The window, and each one's first read; at most a few more where they meet.
  expect(asked.length).toBeLessThan(10)
})

test('any place in an aggregate can be gone on from; one that is not there goes on after it', async () => {
  const { take, names } = closedShard(COUNTS)
  for (const subSequenceNumber of [1, 150, 299]) {
    const from = { at: 'at_sub_sequence_number', sequenceNumber: '104', subSequenceNumber } as const
    expect(await readAll(take, from, 50)).toEqual(names.slice(names.indexOf(`104:${subSequenceNumber}`)))
  }
  for (const [sequenceNumber, next] of [
    ['104', '105:0'],
    ['102', '103'],
  ] as const) {
    const from = { at: 'at_sub_sequence_number', sequenceNumber, subSequenceNumber: 300 } as const
    expect(await readAll(take, from, 50)).toEqual(names.slice(names.indexOf(next)))
  }
})

test('behind the window: a place after the last record of an aggregate that is all a read brings', async () => {
  const { take, names } = closedShard(COUNTS)
  await take({ at: 'at_sequence_number', sequenceNumber: '107' }, 1)
  const from = { at: 'at_sub_sequence_number', sequenceNumber: '104', subSequenceNumber: 300 } as const
  expect(await readAll(take, from, 1)).toEqual(names.slice(names.indexOf('105:0')))
})
