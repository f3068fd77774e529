import {
  type AppendMarks,
  type AppendOptions,
  type AppendOutcome,
  InvalidEventError,
  type LogRecord,
  type NewEvent,
  type ReadRequest,
  type ReadResult,
  ShardNotFoundError,
  type ShardStatus,
  type StreamDetail,
  StreamExistsError,
  StreamNotFoundError,
  type StreamSpec,
} from '@eddy/core'
import { AT_MS } from './fixtures.ts'

interface FakeStream {
  readonly detail: StreamDetail
  readonly records: LogRecord[]
  readonly producers: Map<string, AppendOutcome>
}

/** Streams of one shard in memory, with the answers of a real log. */
export class FakeLog {
  readonly streams: Map<string, FakeStream> = new Map()
  readonly appends: { events: readonly NewEvent[]; options: AppendOptions | undefined }[] = []

  readonly triedOnce: { events: readonly NewEvent[]; marks: AppendMarks | undefined }[] = []

  create(spec: StreamSpec): StreamDetail {
    if (this.streams.has(spec.name)) throw new StreamExistsError(spec.name)
    const detail: StreamDetail = {
      ...spec,
      streamId: `${spec.name}-1`,
      createdAtMs: AT_MS,
      shards: Array.from({ length: spec.shardCount }, (_, index) => shard(index)),
      subscriptions: [],
    }
    this.streams.set(spec.name, { detail, records: [], producers: new Map() })
    return detail
  }

  find(name: string): FakeStream {
    const stream = this.streams.get(name)
    if (stream === undefined) throw new StreamNotFoundError(name)
    return stream
  }

  shard(name: string, shardId: string): StreamDetail {
    const { detail } = this.find(name)
    if (!detail.shards.some((each) => each.shardId === shardId)) throw new ShardNotFoundError(name, shardId)
    return detail
  }

  append(name: string, events: readonly NewEvent[], options?: AppendOptions): readonly AppendOutcome[] {
    const stream = this.find(name)
    this.appends.push({ events, options })
    const first = options?.firstSequence
    const sequences = first === undefined ? [] : events.map((_, index) => first + index)
    return this.#store(stream, events, options?.producerId, sequences)
  }

  appendOnce(name: string, events: readonly NewEvent[], marks?: AppendMarks): readonly AppendOutcome[] {
    const stream = this.find(name)
    this.triedOnce.push({ events, marks })
    return this.#store(stream, events, marks?.producerId, marks?.sequences ?? [])
  }

  #store(
    stream: FakeStream,
    events: readonly NewEvent[],
    producerId: string | undefined,
    sequences: readonly number[],
  ): readonly AppendOutcome[] {
    return events.map((event, index) => {
      const producer = producerId === undefined ? undefined : `${producerId}/${sequences[index]}`
      const before = producer === undefined ? undefined : stream.producers.get(producer)
      if (before?.ok === true) return { ...before, duplicate: true }
      const outcome = store(stream, event)
      if (producer !== undefined) stream.producers.set(producer, outcome)
      return outcome
    })
  }

  addBytes(name: string, data: Uint8Array): void {
    const { records } = this.find(name)
    records.push({ sequenceNumber: sequence(records.length), partitionKey: 'k', data, arrivedAtMs: AT_MS })
  }

  async read(request: ReadRequest): Promise<ReadResult> {
    this.shard(request.stream, request.shardId)
    const { records } = this.find(request.stream)
    const { from } = request
    const start =
      from.at === 'latest'
        ? records.length
        : from.at === 'at_sequence_number'
          ? Number(BigInt(from.sequenceNumber) - BASE)
          : from.at === 'after_sequence_number'
            ? Number(BigInt(from.sequenceNumber) - BASE) + 1
            : 0
    if (start >= records.length && request.waitMs > 0) await aborted(request.signal)
    const page = records.slice(start, start + request.maxRecords)
    return {
      records: page,
      next: { at: 'at_sequence_number', sequenceNumber: sequence(start + page.length) },
      millisBehindLatest: start + page.length < records.length ? 1 : 0,
      expiredRecords: 0,
    }
  }
}

const BASE = 1_000_000_000_000_000n

function sequence(index: number): string {
  return String(BASE + BigInt(index))
}

function store(stream: FakeStream, event: NewEvent): AppendOutcome {
  if (event.key === 'refused') {
    const error = new InvalidEventError('refused by the log')
    return { ok: false, code: error.code, retryable: error.retryable, message: error.message }
  }
  const id = event.id ?? `id-${stream.records.length}`
  const sequenceNumber = sequence(stream.records.length)
  const envelope = {
    specversion: '1.0',
    id,
    source: event.source ?? 'eddy',
    type: event.type ?? `${stream.detail.name}.event`,
    partitionkey: event.key,
    ...event.extensions,
    data: event.data,
  }
  stream.records.push({
    sequenceNumber,
    partitionKey: event.key,
    ...(event.explicitHashKey === undefined ? {} : { explicitHashKey: event.explicitHashKey }),
    data: new TextEncoder().encode(JSON.stringify(envelope)),
    arrivedAtMs: AT_MS,
  })
  return { ok: true, id, shardId: 'shardId-000000000000', sequenceNumber, duplicate: false }
}

function shard(index: number): ShardStatus {
  return {
    shardId: `shardId-${String(index).padStart(12, '0')}`,
    startingHashKey: '0',
    endingHashKey: '340282366920938463463374607431768211455',
    parentShardIds: [],
    depth: 0,
    startingSequenceNumber: sequence(0),
    open: true,
  }
}

function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) resolve()
    signal?.addEventListener('abort', () => resolve(), { once: true })
  })
}
