import {
  type Clock,
  CorruptDataError,
  InvalidOptionError,
  type LogRecord,
  type ReadRequest,
  type ReadResult,
  type StartPosition,
  StreamNotFoundError,
} from '@eddy/core'
import { manyWaiters } from '../time/many-waiters.ts'
import { checkSegment, segmentsFrom } from './chunk-codec.ts'
import { chunkAtOrBefore, chunksFrom, type FoundChunk, sequenceAtTimestamp, whereOf } from './chunk-search.ts'
import { readRecord, skipFrame } from './record-frames.ts'
import type { ShardState } from './shard-state.ts'
import type { StreamState } from './stream-state.ts'

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

/** Records of the shard from a position on. */
export function countRecords(stream: StreamState, shardId: string, from: StartPosition): number {
  const state = stream.shardState(stream.committedShape.require(stream.info.name, shardId))
  return Math.max(0, state.committedNext - Math.max(resolvePosition(stream, state, from), state.first))
}

function checkRequest(request: ReadRequest): void {
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
  // A position before the shard's start (a parent's, or zero) has lost nothing of this shard.
  const expiredRecords = Math.max(0, state.first - Math.max(asked, state.shard.startSequence))
  const from = Math.max(asked, state.first)
  const records = from < state.committedNext ? collectRecords(stream, state, from, request) : []
  const last = records.at(-1)
  const end = last === undefined ? from : Number(last.sequenceNumber) + 1
  const isAtEnd = end >= state.committedNext
  const isClosed = stream.committedShape.find(state.shard.shardId)?.endSequence !== undefined
  return {
    records,
    next: isAtEnd && isClosed ? undefined : nextPosition(last, from),
    millisBehindLatest: isAtEnd || last === undefined ? 0 : Math.max(1, clock.now() - last.arrivedAtMs),
    expiredRecords,
  }
}

function nextPosition(last: LogRecord | undefined, from: number): StartPosition {
  return last === undefined
    ? { at: 'at_sequence_number', sequenceNumber: String(from) }
    : { at: 'after_sequence_number', sequenceNumber: last.sequenceNumber }
}

function collectRecords(
  stream: StreamState,
  state: ShardState,
  from: number,
  request: ReadRequest,
): LogRecord[] {
  const collector = new Collector(request.maxRecords, request.maxBytes, state.committedNext)
  const first = chunkAtOrBefore(stream, state, from)
  if (first !== undefined && first.firstSequence + first.records > from) {
    if (!collectFromChunk(stream, state, first, from, collector)) return collector.records
  }
  // A chunk is a megabyte: the first one is not read twice.
  for (const chunk of chunksFrom(stream, state, first === undefined ? from : first.firstSequence + 1)) {
    if (!collectFromChunk(stream, state, chunk, from, collector)) break
  }
  return collector.records
}

/** False when the collector is full. */
function collectFromChunk(
  stream: StreamState,
  state: ShardState,
  chunk: FoundChunk,
  from: number,
  collector: Collector,
): boolean {
  const where = (): string => whereOf(stream, state)
  for (const segment of segmentsFrom(chunk.bytes, chunk.firstSequence, from)) {
    if (!collector.wants(segment.firstSequence)) return false
    checkSegment(chunk.bytes, segment, where)
    let at = segment.start
    for (let i = 0; i < segment.count; i++) {
      const sequence = segment.firstSequence + i
      if (sequence < from) {
        at = skipFrame(chunk.bytes, at)
        continue
      }
      const record = readRecord(chunk.bytes, at, segment.end, String(sequence), segment.arrivedAtMs)
      if (record === undefined) throw new CorruptDataError(where(), `record ${sequence} is cut off`)
      if (!collector.add(sequence, record)) return false
      // A frame ends with its data.
      at = record.data.byteOffset - chunk.bytes.byteOffset + record.data.length
    }
  }
  return true
}

/** Takes records up to the request's limits, but at least one. */
class Collector {
  readonly records: LogRecord[] = []
  readonly #maxRecords: number
  readonly #maxBytes: number
  readonly #end: number
  #bytes = 0

  constructor(maxRecords: number, maxBytes: number, end: number) {
    this.#maxRecords = maxRecords
    this.#maxBytes = maxBytes
    this.#end = end
  }

  /** Nothing is handed out before its commit was acknowledged. */
  wants(sequence: number): boolean {
    return sequence < this.#end && this.records.length < this.#maxRecords
  }

  add(sequence: number, record: LogRecord): boolean {
    if (!this.wants(sequence)) return false
    if (this.records.length > 0 && this.#bytes + record.data.length > this.#maxBytes) return false
    this.records.push(record)
    this.#bytes += record.data.length
    return true
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
