import {
  type AppendEntry,
  type AppendResult,
  InvalidOptionError,
  type Log,
  type LogRecord,
  type ReadRequest,
  type ReadResult,
  StorageError,
  type StreamSpec,
} from '@eddy/core'
import type { ShardStore } from '../store/shard-store.ts'
import { checkCount, checkText, checkWhole } from './check-options.ts'
import type { SimProcess } from './sim-process.ts'

const HOUR_MS = 3_600_000
const YEAR_MS = 365 * 24 * HOUR_MS
const MAX_HASH_KEY = 2n ** 128n - 1n
const RETRYABLE_CODES = ['throttled', 'internal'] as const

type Take = Parameters<NonNullable<Log['readEach']>>[1]

/** The Log port of one simulated process. */
export function simLog(process: SimProcess): Log {
  const { world } = process
  const { log } = world.store
  const now = (): number => world.clock.now()
  return {
    // Faults strike entries one by one, as a service's do.
    get keepsKeyOrder() {
      return world.faults.appendEntryFailed === 0
    },
    dropsCopies: true,
    createStream: async (spec) => {
      checkSpec(spec)
      const create = () => log.create(spec, now())
      return process.write('log.createStream', [spec], create, create)
    },
    deleteStream: async (name) => {
      const remove = (): void => {
        const { shards } = log.stream(name)
        log.delete(name)
        for (const shard of shards) world.waitRoom.wakeAll(channelOf(name, shard.options.shardId))
      }
      return process.write('log.deleteStream', [name], remove, remove)
    },
    setRetention: async (name, retentionMs) => {
      checkWhole('retentionMs', retentionMs, HOUR_MS, YEAR_MS)
      const set = () => log.stream(name).setRetention(retentionMs)
      return process.write('log.setRetention', [name, retentionMs], set, set)
    },
    setLimits: async (name, change) => {
      const set = () => log.stream(name).setLimits(change)
      return process.write('log.setLimits', [name, change], set, set)
    },
    listStreams: async () => process.read('log.listStreams', [], () => log.list()),
    describeStream: async (name) => process.read('log.describeStream', [name], () => log.stream(name).info),
    listShards: async (stream) =>
      process.read('log.listShards', [stream], () => log.stream(stream).list(now())),
    append: (stream, entries) => append(process, stream, entries),
    read: (request) => read(process, request),
    readEach: async (request, take) => {
      const { records, ...end } = await read(process, { ...request, waitMs: 0 })
      for (const record of records) handOver(record, take)
      return { ...end, records: records.length }
    },
    // Only tells operators how far behind a subscription is: no fault strikes it, no time passes.
    countRecords: async (stream, shardId, from) => log.stream(stream).shard(shardId).count(from),
    nextSequenceNumber: async (stream, shardId) => String(log.stream(stream).shard(shardId).nextSequence),
    split: async (stream, shardId, newStartingHashKey) => {
      const split = () => {
        const store = log.stream(stream)
        const at = checkSplit(store.shard(shardId), newStartingHashKey)
        const children = store.split(shardId, at, now())
        world.waitRoom.wakeAll(channelOf(stream, shardId))
        return children
      }
      return process.write('log.split', [stream, shardId, newStartingHashKey], split, split)
    },
    merge: async (stream, shardId, adjacentShardId) => {
      const merge = () => {
        const child = log.stream(stream).merge(shardId, adjacentShardId, now())
        for (const parent of child.parentShardIds) world.waitRoom.wakeAll(channelOf(stream, parent))
        return child
      }
      return process.write('log.merge', [stream, shardId, adjacentShardId], merge, merge)
    },
  }
}

async function append(
  process: SimProcess,
  stream: string,
  entries: readonly AppendEntry[],
): Promise<readonly AppendResult[]> {
  checkCount('entries', entries, 500)
  const { dice } = process.world
  // The caller may reuse its buffers once the call is made.
  const copies = entries.map((entry) => ({ ...entry, data: new Uint8Array(entry.data) }))
  const withFaults = (): readonly AppendResult[] => {
    process.world.store.log.stream(stream)
    if (dice.strikes('appendRejected')) {
      for (const entry of copies) if (dice.tookEffect()) appendOne(process, stream, entry)
      throw new StorageError('simulated: the append was not answered')
    }
    return copies.map((entry) => appendWithFaults(process, stream, entry))
  }
  // At a crash any part of a call may have been stored.
  const atCrash = (): void => {
    for (const entry of copies) if (dice.tookEffect()) appendOne(process, stream, entry)
  }
  return process.write('log.append', [stream, copies], withFaults, atCrash)
}

function appendWithFaults(process: SimProcess, stream: string, entry: AppendEntry): AppendResult {
  const { dice } = process.world
  if (dice.strikes('appendEntryFailed')) {
    const code = dice.prng.pick(RETRYABLE_CODES)
    return { ok: false, code, retryable: true, message: 'simulated: not stored' }
  }
  const result = appendOne(process, stream, entry)
  return result.ok && dice.strikes('appendEntryAckLost')
    ? { ok: false, code: 'internal', retryable: true, message: 'simulated: stored, acknowledgement lost' }
    : result
}

function appendOne(process: SimProcess, stream: string, entry: AppendEntry): AppendResult {
  const { world } = process
  const { partitionKey, explicitHashKey, data } = entry
  if (partitionKey.length < 1 || partitionKey.length > 256) {
    return invalid('partitionKey: expected 1 to 256 characters')
  }
  if (explicitHashKey !== undefined && hashKeyOf(explicitHashKey) === undefined) {
    return invalid('explicitHashKey: expected a decimal integer below 2^128')
  }
  if (data.byteLength > world.maxRecordBytes) {
    const message = `data: ${data.byteLength} bytes are over the limit of ${world.maxRecordBytes}`
    return { ok: false, code: 'too-large', retryable: false, message }
  }
  const result = world.store.log.stream(stream).append(entry, world.clock.now())
  if (result.ok) world.waitRoom.wakeAll(channelOf(stream, result.shardId))
  return result
}

async function read(process: SimProcess, request: ReadRequest): Promise<ReadResult> {
  checkWhole('maxRecords', request.maxRecords, 1, 10_000)
  const { world } = process
  const { dice } = world
  const shard = (): ShardStore => {
    const stream = world.store.log.stream(request.stream)
    const found = stream.shard(request.shardId)
    found.trim(world.clock.now() - stream.info.retentionMs)
    return found
  }
  // A wait from LATEST starts at the head as it was when the wait began.
  let { from } = request
  const attempt = (): ReadResult => {
    const result = shard().read(from, request, world.clock.now())
    if (from.at === 'latest' && result.next !== undefined) from = result.next
    return result
  }
  const { signal, ...rest } = request
  return process.wait('log.read', [rest], {
    attempt: () => {
      if (dice.strikes('readRejected')) throw new StorageError('simulated: the read failed')
      return withReadFaults(process, attempt())
    },
    isReady: (result) =>
      result.records.length > 0 || result.next === undefined || result.millisBehindLatest > 0,
    waitMs: request.waitMs,
    signal,
    channel: channelOf(request.stream, request.shardId),
    readyInMs: () => undefined,
  })

  function withReadFaults(of: SimProcess, result: ReadResult): ReadResult {
    const first = result.records[0]
    if (first === undefined) return result
    if (dice.strikes('emptyRead')) {
      const millisBehindLatest = Math.max(1, of.clock.now() - first.arrivedAtMs)
      return { records: [], next: from, millisBehindLatest, expiredRecords: 0 }
    }
    if (result.records.length > 1 && dice.strikes('shortRead')) {
      const maxRecords = 1 + dice.prng.int(result.records.length - 1)
      return shard().read(from, { ...request, maxRecords }, of.clock.now())
    }
    return result
  }
}

/** The bytes are garbage afterwards: whoever kept them instead of copying is found out. */
function handOver({ sequenceNumber, arrivedAtMs, partitionKey, data }: LogRecord, take: Take): void {
  const bytes = Buffer.concat([Buffer.from(partitionKey), data])
  const dataStart = bytes.length - data.length
  take({
    ...{ sequenceNumber, arrivedAtMs, bytes, keyStart: 0, keyEnd: dataStart },
    ...{ dataStart, dataEnd: bytes.length },
  })
  bytes.fill('garbage')
}

function checkSpec(spec: StreamSpec): void {
  checkText('name', spec.name, /^[a-zA-Z0-9_.-]{1,128}$/, '1 to 128 characters of a-zA-Z0-9_.-')
  checkWhole('shardCount', spec.shardCount, 1, 1_024)
  checkWhole('retentionMs', spec.retentionMs, HOUR_MS, YEAR_MS)
  checkText('durability', spec.durability, /^(fsync|os)$/, '"fsync" or "os"')
}

function checkSplit(shard: ShardStore, newStartingHashKey: string): bigint {
  const { startingHashKey, endingHashKey } = shard.options
  const at = hashKeyOf(newStartingHashKey)
  if (at === undefined || at <= startingHashKey || at > endingHashKey) {
    const expected = `a decimal integer above ${startingHashKey} and up to ${endingHashKey}`
    throw new InvalidOptionError('newStartingHashKey', expected, newStartingHashKey)
  }
  return at
}

function hashKeyOf(text: string): bigint | undefined {
  if (!/^\d{1,39}$/.test(text)) return undefined
  const hashKey = BigInt(text)
  return hashKey <= MAX_HASH_KEY ? hashKey : undefined
}

function invalid(message: string): AppendResult {
  return { ok: false, code: 'invalid', retryable: false, message }
}

function channelOf(stream: string, shardId: string): string {
  return `log/${stream}/${shardId}`
}
