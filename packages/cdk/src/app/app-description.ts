import type { AppDefinition, Blocks, From } from '@eddy/core'

/** What of an application decides about resources: plain data, as it can be handed from one process to another. */
export interface AppDescription {
  readonly streams: readonly StreamDescription[]
  readonly queues: readonly QueueDescription[]
  readonly subscriptions: readonly SubscriptionDescription[]
}

export interface StreamDescription {
  readonly name: string
  readonly shards: number
  readonly isOnDemand: boolean
  readonly retentionMs: number
  /** Undefined: the service's default. */
  readonly maxRecordBytes: number | undefined
}

export interface QueueDescription {
  readonly name: string
  /** It keeps groups in order. */
  readonly isFifo: boolean
}

export interface SubscriptionDescription {
  readonly name: string
  readonly source: { readonly kind: 'stream' | 'queue'; readonly name: string }
  readonly from: From
  readonly blocks: Blocks
  readonly concurrency: number
  readonly timeoutMs: number
  /** It reads with a throughput of its own, by enhanced fan-out. */
  readonly fanOut: boolean
}

export function describeApp(app: AppDefinition): AppDescription {
  return {
    streams: app.streams.map(({ name, shards, isOnDemand, retentionMs, limits }) => ({
      name,
      shards,
      isOnDemand,
      retentionMs,
      maxRecordBytes: limits === undefined || limits === 'none' ? undefined : limits.maxRecordBytes,
    })),
    queues: app.queues.map(({ name, group }) => ({ name, isFifo: group !== undefined })),
    subscriptions: app.subscriptions.map(
      ({ name, stream, queue, from, failure, concurrency, timeoutMs, fanOut }) => ({
        name,
        source: queue === undefined ? { kind: 'stream', name: stream } : { kind: 'queue', name: queue.name },
        from,
        blocks: failure.blocks,
        concurrency,
        timeoutMs,
        fanOut,
      }),
    ),
  }
}
