import {
  type Clock,
  InvalidOptionError,
  type LogRecord,
  type ReadEachRequest,
  type ReadEachResult,
  type ReadRequest,
  type ReadResult,
  type RecordBytes,
  type StartPosition,
  StreamNotFoundError,
} from '@eddy/core'
import { manyWaiters } from '../time/many-waiters.ts'
import {
  chunkAtOrBefore,
  chunksFrom,
  type FoundChunk,
  passingChunksFrom,
  sequenceAtTimestamp,
  whereOf,
} from './chunk-search.ts'
import { recordAt } from './record-frames.ts'
import type { ShardState } from './shard-state.ts'
import type { StreamState } from './stream-state.ts'
import { ReadLimits, type TakeFrame, walkChunks } from './walk-chunks.ts'

const MAX_RECORDS = 10_000

/** Reads records of one shard from a position, waiting for a first one when asked to. */
export async function readRecords(
  stream: StreamState,
  request: ReadRequest,
  clock: Clock,
  closing: AbortSignal,
): Promise<ReadResult> {
  checkRequest(request)
  const shard = stream.committedShape.require(request.stream, request.shardId)
  const state = stream.shardState(shard)
  const asked = resolvePosition(stream, state, request.from)
  const deadlineMs = clock.monotonicMs() + request.waitMs
  for (;;) {
    if (stream.deleted) throw new StreamNotFoundError(request.stream)
    const result = readNow(stream, state, request, asked, clock)
    const leftMs = deadlineMs - clock.monotonicMs()
    const isOver = leftMs <= 0 || request.signal?.aborted === true || closing.aborted
    if (isOver || result.records.length > 0 || result.next === undefined) return result
    await waitForChange(state, clock, leftMs, [request.signal, closing])
  }
}

/** Reads without waiting, and hands over each record where it lies. */
export function readEachRecord(
  stream: StreamState,
  request: ReadEachRequest,
  take: (record: RecordBytes) => void,
  clock: Clock,
): ReadEachResult {
  checkRequest(request)
  const state = stream.shardState(stream.committedShape.require(request.stream, request.shardId))
  const asked = resolvePosition(stream, state, request.from)
  const from = Math.max(asked, state.first)
  const limits = new ReadLimits(request, state.committedNext)
  if (from < state.committedNext) {
    const handOver: TakeFrame = (bytes, { keyStart, dataStart, end }, sequence, arrivedAtMs) =>
      take({
        sequenceNumber: String(sequence),
        arrivedAtMs,
        bytes,
        keyStart,
        keyEnd: dataStart,
        dataStart,
        dataEnd: end,
      })
    walkChunks(passingChunksFrom(stream, state, from), from, limits, handOver, () => whereOf(stream, state))
  }
  return { records: limits.records, ...outcome(stream, state, { asked, from, limits }, clock) }
}

/** Records of the shard from a position on. */
export function countRecords(stream: StreamState, shardId: string, from: StartPosition): number {
  const state = stream.shardState(stream.committedShape.require(stream.info.name, shardId))
  return Math.max(0, state.committedNext - Math.max(resolvePosition(stream, state, from), state.first))
}

function checkRequest(request: ReadEachRequest): void {
  const { maxRecords, maxBytes } = request
  if (!Number.isInteger(maxRecords) || maxRecords < 1 || maxRecords > MAX_RECORDS) {
    throw new InvalidOptionError('maxRecords', `a whole number from 1 to ${MAX_RECORDS}`, maxRecords)
  }
  if (!(maxBytes >= 1)) throw new InvalidOptionError('maxBytes', 'a number from 1 up', maxBytes)
}

/** The first sequence number asked for; it may lie before what is kept. */
function resolvePosition(stream: StreamState, state: ShardState, from: StartPosition): number {
  switch (from.at) {
    case 'trim_horizon':
      return state.first
    case 'latest':
      return state.committedNext
    case 'at_sequence_number':
      return parseSequence(from.sequenceNumber)
    case 'after_sequence_number':
      return parseSequence(from.sequenceNumber) + 1
    case 'at_timestamp':
      return sequenceAtTimestamp(stream, state, from.timestampMs)
  }
}

function parseSequence(text: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(value)) {
    throw new InvalidOptionError('sequenceNumber', 'a sequence number of this stream', text)
  }
  return value
}

function readNow(
  stream: StreamState,
  state: ShardState,
  request: ReadRequest,
  asked: number,
  clock: Clock,
): ReadResult {
  const from = Math.max(asked, state.first)
  const limits = new ReadLimits(request, state.committedNext)
  const records: LogRecord[] = []
  if (from < state.committedNext) {
    const keep: TakeFrame = (bytes, place, sequence, arrivedAtMs) =>
      records.push(recordAt(bytes, place, String(sequence), arrivedAtMs))
    walkChunks(ownChunksFrom(stream, state, from), from, limits, keep, () => whereOf(stream, state))
  }
  return { records, ...outcome(stream, state, { asked, from, limits }, clock) }
}

function* ownChunksFrom(
  stream: StreamState,
  state: ShardState,
  from: number,
): Generator<FoundChunk, void, undefined> {
  const first = chunkAtOrBefore(stream, state, from)
  if (first !== undefined && first.firstSequence + first.records > from) yield first
  // A chunk is a megabyte: the first one is not read twice.
  yield* chunksFrom(stream, state, first === undefined ? from : first.firstSequence + 1)
}

interface Walked {
  /** The position asked for. */
  readonly asked: number
  /** Where the walk began. */
  readonly from: number
  readonly limits: ReadLimits
}

function outcome(
  stream: StreamState,
  state: ShardState,
  { asked, from, limits }: Walked,
  clock: Clock,
): Omit<ReadResult, 'records'> {
  // A position before the shard's start (a parent's, or zero) has lost nothing of this shard.
  const expiredRecords = Math.max(0, state.first - Math.max(asked, state.shard.startSequence))
  const { records, lastSequence, lastArrivedAtMs } = limits
  const isEmpty = records === 0
  const isAtEnd = (isEmpty ? from : lastSequence + 1) >= state.committedNext
  const isClosed = stream.committedShape.find(state.shard.shardId)?.endSequence !== undefined
  const next: StartPosition = isEmpty
    ? { at: 'at_sequence_number', sequenceNumber: String(from) }
    : { at: 'after_sequence_number', sequenceNumber: String(lastSequence) }
  return {
    next: isAtEnd && isClosed ? undefined : next,
    millisBehindLatest: isAtEnd || isEmpty ? 0 : Math.max(1, clock.now() - lastArrivedAtMs),
    expiredRecords,
  }
}

async function waitForChange(
  state: ShardState,
  clock: Clock,
  waitMs: number,
  signals: readonly (AbortSignal | undefined)[],
): Promise<void> {
  const woken = new AbortController()
  const wake = (): void => woken.abort()
  const stopWaiting = state.wait(wake)
  for (const signal of signals) {
    if (signal === undefined) continue
    manyWaiters(signal)
    signal.addEventListener('abort', wake, { once: true })
  }
  try {
    await clock.sleep(waitMs, woken.signal)
  } finally {
    stopWaiting()
    for (const signal of signals) signal?.removeEventListener('abort', wake)
  }
}
