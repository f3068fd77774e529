import type { AppendEntry, Log, LogRecord, ReadRequest, ReadResult, ShardInfo, StreamSpec } from '@eddy/core'
import { expect } from 'vitest'
import { MAX_PROBES } from './contract-test.ts'
import type { ContractOptions } from './fixture.ts'

export const HOUR_MS = 3_600_000
export const HASH_KEY_SPACE: bigint = 2n ** 128n

export function minRetentionMs({ log }: ContractOptions): number {
  return log?.minRetentionMs ?? HOUR_MS
}

/** A moment as a service tells it that has no finer times. */
export function startOf(ms: number, { log }: ContractOptions): number {
  return log?.timesInSeconds === true ? Math.floor(ms / 1_000) * 1_000 : ms
}

export function spec(name: string, overrides: Partial<StreamSpec> = {}): StreamSpec {
  return { name, shardCount: 1, retentionMs: 24 * HOUR_MS, durability: 'os', ...overrides }
}

export function entry(partitionKey: string, text: string, more: Partial<AppendEntry> = {}): AppendEntry {
  return { partitionKey, data: new TextEncoder().encode(text), ...more }
}

export function textOf(record: LogRecord): string {
  return new TextDecoder().decode(record.data)
}

export function request(stream: string, shardId: string, more: Partial<ReadRequest> = {}): ReadRequest {
  return {
    stream,
    shardId,
    from: { at: 'trim_horizon' },
    maxRecords: 10_000,
    maxBytes: 64 * 1_024 * 1_024,
    waitMs: 0,
    ...more,
  }
}

export interface Stored {
  readonly shardId: string
  readonly sequenceNumber: string
  readonly duplicate: boolean
}

/** Appends and expects every entry to be stored. */
export async function store(log: Log, stream: string, entries: readonly AppendEntry[]): Promise<Stored[]> {
  const results = await log.append(stream, entries)
  expect(results).toHaveLength(entries.length)
  return results.map((result) => {
    if (!result.ok) throw new Error(`expected the entry to be stored, received ${JSON.stringify(result)}`)
    return result
  })
}

/** Reads on from a request until nothing comes any more; the last result tells how it ended. */
export async function readOn(
  log: Log,
  first: ReadRequest,
): Promise<{ readonly records: LogRecord[]; readonly last: ReadResult }> {
  const records: LogRecord[] = []
  let next = first
  for (let i = 0; i < 10_000; i++) {
    const result = await log.read(next)
    records.push(...result.records)
    // An empty answer ends it at the head alone: engines may answer empty on the way.
    const atHead = result.records.length === 0 && result.millisBehindLatest === 0
    if (result.next === undefined || atHead) return { records, last: result }
    next = { ...first, from: result.next }
  }
  throw new Error('readOn: expected an end within 10,000 reads')
}

/** Reads until a first record comes. Early empty answers are allowed. */
export async function readFirst(log: Log, first: ReadRequest): Promise<ReadResult> {
  let next = first
  for (let i = 0; i < MAX_PROBES; i++) {
    const result = await log.read(next)
    if (result.records.length > 0 || result.next === undefined) return result
    next = { ...first, from: result.next }
  }
  throw new Error(`readFirst: expected a record within ${MAX_PROBES} reads`)
}

export async function onlyShard(log: Log, stream: string): Promise<ShardInfo> {
  const shards = await log.listShards(stream)
  expect(shards).toHaveLength(1)
  return shards[0] as ShardInfo
}

export async function openShards(log: Log, stream: string): Promise<ShardInfo[]> {
  const shards = await log.listShards(stream)
  return shards
    .filter((shard) => shard.endingSequenceNumber === undefined)
    .sort((a, b) => (BigInt(a.startingHashKey) < BigInt(b.startingHashKey) ? -1 : 1))
}

/** Expects the ranges of the open shards to cover the hash key space once, without gaps. */
export function expectTiles(shards: readonly ShardInfo[]): void {
  let nextStart = 0n
  for (const shard of shards) {
    expect(BigInt(shard.startingHashKey)).toBe(nextStart)
    expect(BigInt(shard.endingHashKey)).toBeGreaterThanOrEqual(nextStart)
    nextStart = BigInt(shard.endingHashKey) + 1n
  }
  expect(nextStart).toBe(HASH_KEY_SPACE)
}
