import { ShardNotFoundError, type ShardStatus, type StreamDetail, StreamNotFoundError } from '@eddy/core'
import type { FromText, HttpClient, RemoteRecord } from '../../client/http-client.ts'
import { UsageError } from '../command-errors.ts'
import { createGate } from './gate.ts'
import { readShard } from './read-shard.ts'

/** Long polls open at a time; with more shards than this each polls briefly, in turn. */
const MAX_POLLS = 32

export interface TailOptions {
  readonly client: HttpClient
  readonly stream: string
  readonly from: FromText
  readonly isSequence: boolean
  /** One shard only, without its children. */
  readonly shardId: string | undefined
  readonly limit: number
  /** Stay at the end and wait for more. */
  readonly follow: boolean
  readonly signal: AbortSignal
  emit(record: RemoteRecord & { readonly shardId: string }): Promise<void>
  note(text: string): Promise<void>
}

/**
 * Hands out the records of a stream as they come, all shards merged. Within a shard they are in order, and a shard
 * begins after all its parents were read to their end, so each key is in order across splits and merges (I3).
 *
 * @returns when `limit` records were handed out, or without `follow` at the end
 */
export async function tailShards(options: TailOptions): Promise<void> {
  const { client, stream, shardId, signal } = options
  const stop = new AbortController()
  const forward = () => stop.abort(signal.reason)
  signal.addEventListener('abort', forward, { once: true })
  let problem: unknown
  let left = options.limit
  const emit = async (id: string, records: readonly RemoteRecord[]) => {
    for (const record of records) {
      // Other shards hand out meanwhile.
      if (left <= 0) break
      left -= 1
      await options.emit({ shardId: id, ...record })
    }
    if (left <= 0) stop.abort()
  }
  const detail = await client.showStream(stream)
  const first = firstShards(detail, options)
  const gate = createGate(MAX_POLLS)
  const started = new Set(shardId === undefined ? [] : detail.shards.map((shard) => shard.shardId))
  const finished = new Set(isLatest(options) ? detail.shards.filter((shard) => !shard.open).map(idOf) : [])
  const running = new Set<Promise<void>>()
  const start = (id: string, from: FromText) => {
    started.add(id)
    const waitMs = !options.follow ? 0 : first.length > MAX_POLLS ? 250 : 10_000
    const loop = readShard({
      ...options,
      shardId: id,
      from,
      waitMs,
      gate,
      signal: stop.signal,
      left: () => left,
      emit,
    })
      .then(async () => {
        finished.add(id)
        if (shardId === undefined && !stop.signal.aborted) await startChildren()
      })
      .catch((error: unknown) => {
        if (!stop.signal.aborted) problem = error
        stop.abort()
      })
      .finally(() => running.delete(loop))
    running.add(loop)
  }
  const startChildren = async () => {
    const { shards } = await client.showStream(stream)
    const listed = new Set(shards.map(idOf))
    const childFrom = /^\d+$/.test(options.from) ? options.from : 'trim_horizon'
    for (const shard of shards) {
      const isReady = shard.parentShardIds.every((parent) => finished.has(parent) || !listed.has(parent))
      if (isReady && !started.has(shard.shardId) && !finished.has(shard.shardId))
        start(shard.shardId, childFrom)
    }
  }
  try {
    for (const shard of first) start(shard.shardId, options.from)
    while (running.size > 0) await Promise.race(running)
  } finally {
    signal.removeEventListener('abort', forward)
  }
  signal.throwIfAborted()
  if (problem !== undefined) throw problem
}

/** Where the tail begins: the oldest shards, at `latest` the open ones. */
function firstShards(detail: StreamDetail, options: TailOptions): readonly ShardStatus[] {
  const { shards, name } = detail
  if (shards.length === 0) throw new StreamNotFoundError(name)
  if (options.shardId !== undefined) {
    const shard = shards.find(({ shardId }) => shardId === options.shardId)
    if (shard === undefined) throw new ShardNotFoundError(name, options.shardId)
    return [shard]
  }
  if (options.isSequence && shards.length > 1) {
    throw new UsageError(
      `--from: a sequence number belongs to one shard, and stream "${name}" has ${shards.length}. Name it with --shard.`,
    )
  }
  if (isLatest(options)) return shards.filter((shard) => shard.open)
  const listed = new Set(shards.map(idOf))
  return shards.filter(({ parentShardIds }) => !parentShardIds.some((parent) => listed.has(parent)))
}

function isLatest({ from }: TailOptions): boolean {
  return from === 'latest'
}

function idOf({ shardId }: ShardStatus): string {
  return shardId
}
