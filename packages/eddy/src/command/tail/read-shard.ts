import { ConnectionError, retryAfterMsOf } from '@eddy/core'
import { backoffDelayMs, wait } from '../../client/backoff.ts'
import type { FromText, HttpClient, RemoteRead, RemoteRecord } from '../../client/http-client.ts'
import { RemoteError } from '../../client/remote-error.ts'
import { plural } from '../format/quantity.ts'
import type { Gate } from './gate.ts'

const MAX_RECORDS = 1_000
const THROTTLED_APART_MS = 200
const BACKOFF = { initialMs: 200, maxMs: 5_000 }

export interface ReadShardOptions {
  readonly client: HttpClient
  readonly stream: string
  readonly shardId: string
  readonly from: FromText
  readonly waitMs: number
  readonly follow: boolean
  readonly gate: Gate
  readonly signal: AbortSignal
  left(): number
  emit(shardId: string, records: readonly RemoteRecord[]): Promise<void>
  note(text: string): Promise<void>
}

/** Reads one shard until it is closed and read, or its present end without `follow`, or the signal. */
export async function readShard(options: ReadShardOptions): Promise<void> {
  const { signal, shardId, follow, note } = options
  let from = options.from
  let failures = 0
  while (!signal.aborted) {
    let answer: RemoteRead
    try {
      answer = await options.gate(() => readOnce(options, from))
    } catch (error) {
      const retryAfterMs = retryAfterMsOf(error)
      if (retryAfterMs !== undefined && !signal.aborted) {
        // The stream's limits are shared with others; all who were refused together come again apart.
        await wait(retryAfterMs + Math.random() * THROTTLED_APART_MS, signal)
        continue
      }
      // A lost connection is not the end of a tail: it goes on after the last record it has seen.
      if (signal.aborted || !isLost(error)) throw error
      failures += 1
      if (failures === 1) await note(`${shardId}: ${(error as Error).message} Trying again.`)
      await wait(backoffDelayMs(failures, BACKOFF), signal)
      continue
    }
    if (failures > 0) await note(`${shardId}: reading again`)
    failures = 0
    if (answer.expiredRecords > 0) {
      await note(
        `${shardId}: ${plural(answer.expiredRecords, 'record')} before this had been removed by retention`,
      )
    }
    await options.emit(shardId, answer.records)
    if (answer.next === undefined) return
    if (!follow && answer.millisBehindLatest === 0) return
    from = answer.next
  }
}

async function readOnce(options: ReadShardOptions, from: FromText): Promise<RemoteRead> {
  const { client, stream, shardId, waitMs, signal } = options
  const limit = Math.max(1, Math.min(MAX_RECORDS, options.left()))
  return await client.read({ stream, shardId, from, limit, waitMs, signal })
}

function isLost(error: unknown): boolean {
  if (error instanceof ConnectionError) return true
  return error instanceof RemoteError && error.retryable
}
