import { ThrottledError } from '../errors/stream-errors.ts'
import { checkRetentionLimits } from '../model/resolve-limits.ts'
import type {
  Log,
  ReadEachRequest,
  ReadEachResult,
  ReadRequest,
  ReadResult,
  RecordBytes,
  StreamInfo,
} from '../ports/log.ts'
import { checkedChange, checkSpecLimits } from './change-limits.ts'
import { LimitedAppend } from './limited-append.ts'
import type { LimitedLogParts } from './limited-log-parts.ts'
import { ShardBudgets } from './shard-budgets.ts'
import { utf8Bytes } from './utf8-bytes.ts'

/**
 * The log, with each stream's limits enforced as a service enforces them: what is over them is refused, entry by entry and
 * read by read, and nothing waits. A stream without limits and faults costs one look into a map.
 */
export function limitedLog(parts: LimitedLogParts): Log {
  const { log, find } = parts
  const budgets = parts.budgets ?? new ShardBudgets()
  return {
    // May change with the faults of a simulated log.
    get keepsKeyOrder() {
      return log.keepsKeyOrder
    },
    dropsCopies: log.dropsCopies,
    createStream: async (spec) => await log.createStream(checkSpecLimits(spec)),
    deleteStream: async (name) => {
      await log.deleteStream(name)
      budgets.throttled.forget(name)
    },
    setRetention: async (name, retentionMs) => {
      const limits = find(name)?.limits
      if (limits !== undefined) checkRetentionLimits('retentionMs', retentionMs, limits)
      return await log.setRetention(name, retentionMs)
    },
    ...(log.setLimits !== undefined && {
      setLimits: async (name, change) =>
        (await log.setLimits?.(name, checkedChange(find(name), change))) as StreamInfo,
    }),
    throttled: () => budgets.throttled.list(),
    listStreams: () => log.listStreams(),
    describeStream: (name) => log.describeStream(name),
    listShards: (stream) => log.listShards(stream),
    append: (stream, entries, options) => {
      const info = find(stream)
      if (info === undefined || !isLimited(info)) return log.append(stream, entries, options)
      const call = new LimitedAppend(parts, budgets, { info, entries, options })
      return call.run().finally(() => budgets.throttled.add(stream, 'entries', call.throttled))
    },
    read: (request) => {
      const info = find(request.stream)
      if (info === undefined || !isLimited(info)) return log.read(request)
      return limitedRead(parts, budgets, info, request, plainRead(log, request))
    },
    ...(log.readEach !== undefined && { readEach: limitedReadEach(parts, budgets, log.readEach.bind(log)) }),
    ...(log.countRecords !== undefined && { countRecords: log.countRecords.bind(log) }),
    ...(log.nextSequenceNumber !== undefined && { nextSequenceNumber: log.nextSequenceNumber.bind(log) }),
    split: (stream, shardId, newStartingHashKey) => log.split(stream, shardId, newStartingHashKey),
    merge: (stream, shardId, adjacentShardId) => log.merge(stream, shardId, adjacentShardId),
  }
}

function isLimited({ limits, faults }: StreamInfo): boolean {
  return limits !== undefined || faults !== undefined
}

/** What a read found, and what of it counts. */
interface Found<R> {
  readonly result: R
  readonly records: number
  /** Data and keys. */
  readonly bytes: number
}

type BoundedRead<R> = (maxBytes: number) => Promise<Found<R>>

function plainRead(log: Log, request: ReadRequest): BoundedRead<ReadResult> {
  return async (maxBytes) => {
    const result = await log.read({ ...request, maxBytes })
    return { result, records: result.records.length, bytes: bytesOf(result) }
  }
}

function limitedReadEach(
  parts: LimitedLogParts,
  budgets: ShardBudgets,
  readEach: NonNullable<Log['readEach']>,
): NonNullable<Log['readEach']> {
  return async (request, take) => {
    const info = parts.find(request.stream)
    if (info === undefined || !isLimited(info)) return readEach(request, take)
    const read: BoundedRead<ReadEachResult> = async (maxBytes) => {
      let bytes = 0
      const counted = (record: RecordBytes): void => {
        bytes += record.dataEnd - record.dataStart + record.keyEnd - record.keyStart
        take(record)
      }
      const result = await readEach({ ...request, maxBytes }, counted)
      return { result, records: result.records, bytes }
    }
    return limitedRead(parts, budgets, info, request, read)
  }
}

/**
 * A read is spent when it is let in, also one that waits for a record: it counts once, however long it waits. What it
 * returns is owed afterwards, as with the service, which does not know before either.
 */
async function limitedRead<R extends Pick<ReadResult, 'millisBehindLatest'>>(
  { clock }: LimitedLogParts,
  budgets: ShardBudgets,
  { name, streamId, limits, faults }: StreamInfo,
  request: ReadEachRequest & Pick<ReadRequest, 'signal'>,
  read: BoundedRead<R>,
): Promise<R> {
  let found: Found<R>
  if (limits === undefined) found = await read(request.maxBytes)
  else {
    const { shardId } = request
    const nowMs = clock.monotonicMs()
    const budget = budgets.of(streamId, shardId, nowMs)
    const waitMs = budget.trySpendRead(limits, nowMs)
    if (waitMs > 0) {
      budgets.throttled.add(name, 'reads', 1)
      throw new ThrottledError(`reading ${shardId} of stream "${name}"`, waitMs)
    }
    const maxBytes = Math.min(request.maxBytes, limits.maxReadBytes)
    found = await read(maxBytes)
    const isFull = maxBytes === limits.maxReadBytes && isCut(found, request, maxBytes)
    budget.spendReadBytes(found.bytes, isFull, limits, clock.monotonicMs())
  }
  if (faults?.latencyMs) await clock.sleep(faults.latencyMs, request.signal)
  return found.result
}

/** It holds as much as a read may return: the next record would have gone over it. */
function isCut(
  { result, records, bytes }: Found<Pick<ReadResult, 'millisBehindLatest'>>,
  request: ReadEachRequest,
  maxBytes: number,
): boolean {
  if (bytes >= maxBytes) return true
  // A short answer may have other reasons, such as a large record that comes next.
  return bytes * 2 > maxBytes && records < request.maxRecords && result.millisBehindLatest > 0
}

function bytesOf({ records }: ReadResult): number {
  let bytes = 0
  for (const { data, partitionKey } of records) bytes += data.length + utf8Bytes(partitionKey)
  return bytes
}
