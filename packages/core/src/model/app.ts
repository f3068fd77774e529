import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { BatchDefinition, BatchHandler, BatchOptions } from './batch.ts'
import type { EddyEvent, NewEvent } from './event.ts'
import type { FailureOptions } from './failure.ts'
import type { EventFilter } from './filter.ts'
import type { AttemptPath } from './ledger-item.ts'
import type { NewMessage, QueueDefinition } from './message.ts'
import type { SubscriptionPolicy } from './policy.ts'
import type { Position } from './position.ts'
import type { ProtectOptions } from './protect.ts'
import type { ServiceFaults, ServiceLimits } from './service-limits.ts'

export interface StreamDefinition<Data = unknown> {
  readonly kind: 'stream'
  readonly name: string
  readonly shards: number
  readonly retentionMs: number
  readonly durability: 'fsync' | 'os'
  readonly schema: StandardSchemaV1<unknown, Data> | undefined
  /** What is created for it on AWS: a stream on demand, which grows with its traffic, or one of `shards` provisioned shards. */
  readonly isOnDemand: boolean
  /** Undefined: those that the stored stream has. */
  readonly limits: ServiceLimits | 'none' | undefined
  readonly faults: ServiceFaults | undefined
}

/** Where a new subscription begins. It counts once; afterwards the checkpoint does. */
export type From = 'trim_horizon' | 'latest' | { readonly timestampMs: number }

/** Handed to a handler with each event (I7: the same on the live path, in a retry and in a redrive). */
export interface HandlerContext {
  readonly subscription: string
  /** `queue/NAME` for a message of a queue. */
  readonly stream: string
  /** `queue` for a message of a queue. */
  readonly shardId: string
  readonly sequenceNumber: string
  /** Place in the aggregate that the record came in, from 0; undefined for a record of its own. */
  readonly subSequenceNumber: number | undefined
  readonly position: Position
  /** Stable over live, retry and redrive. An edited event has a new one. */
  readonly eventId: string
  readonly key: string
  readonly arrivedAtMs: number
  /** 1 for the first call. */
  readonly attempt: number
  readonly path: AttemptPath
  /** A redrive on a key that flows again: later events of the key may have been handled already. */
  readonly outOfOrder: boolean
  /** Aborts when the attempt's time is up or the process stops. */
  readonly signal: AbortSignal
  /**
   * Runs `fn` once for this event and subscription and keeps its JSON result: a later attempt gets the kept result
   * instead of a second call, for as long as the event is open and `ledgerRetentionMs` beyond. Every attempt, the first
   * included, gets the result as JSON holds it: a Date is a string, a Map an empty object. At most 256 KiB of JSON, 100
   * steps an event.
   */
  step<T>(name: string, fn: () => Promise<T> | T): Promise<T>
  /**
   * Appends derived events. Their ids, unless given, follow from this event's, so that a repeated attempt adds no
   * second copy: `<event id>/<subscription>/<call>.<index>`, or a hash in place of the first two when that is long.
   */
  append(stream: string | StreamDefinition, events: NewEvent | readonly NewEvent[]): Promise<void>
  /**
   * Sends messages to a queue. Their deduplication ids, unless given, follow from this event's id, so that a repeated
   * attempt adds no second message.
   */
  send(queue: string | QueueDefinition, messages: NewMessage | readonly NewMessage[]): Promise<void>
}

export type Handler<Data = unknown> = (
  event: EddyEvent<Data>,
  ctx: HandlerContext,
) => Promise<unknown> | unknown

export interface SubscriptionDefinition<Data = unknown> extends SubscriptionPolicy {
  readonly kind: 'subscription'
  readonly name: string
  /** What it reads: the stream's name, or `queue/NAME`. */
  readonly stream: string
  /** Set when it reads a queue. */
  readonly queue: QueueDefinition | undefined
  readonly schema: StandardSchemaV1<unknown, Data> | undefined
  readonly from: From
  readonly filter: EventFilter | undefined
  readonly strays: 'drop' | 'keep'
  readonly fanOut: boolean
  readonly priority: number
  /** Exactly one of `handle` and `batch` is there. */
  readonly handle: Handler<Data> | undefined
  readonly batch: BatchDefinition<Data> | undefined
  readonly onExhausted: Handler<Data> | undefined
  /** Resolved, dropped and archived ledger items are removed after this. */
  readonly ledgerRetentionMs: number
  /** Records read and not yet resolved, per shard: intake stops at the bound (I6). */
  readonly maxBufferedRecords: number
  readonly maxBufferedBytes: number
  /** Threads that run the handler; 0: the process's own. */
  readonly threads: number
}

/** Events are handled one at a time (`handle`) or several in a call (`handleBatch`). */
export type HandleOptions<Data> =
  | { readonly handle: Handler<Data>; readonly handleBatch?: never; readonly batch?: never }
  | {
      readonly handleBatch: BatchHandler<Data>
      /** How many events a call gets, and how long it waits for them. */
      readonly batch?: BatchOptions
      readonly handle?: never
    }

export type SubscribeOptions<Data> = ReadingOptions<Data> & HandleOptions<Data>

/** What a subscription is but for its handler. */
export interface ReadingOptions<Data> {
  /** Default `trim_horizon`. */
  readonly from?: From
  readonly filter?: EventFilter
  /**
   * What becomes of an aggregate that holds a record outside the hash range of its shard. `drop` (default): none of it is
   * handled, since the KPL and Eddy's producer send all of it again. `keep` is for producers that do not group by shard.
   */
  readonly strays?: 'drop' | 'keep'
  /**
   * On Kinesis, a consumer with enhanced fan-out of its own: 2 MiB/s of each shard beside all others, pushed, at its own
   * price. Default false: it shares the one reader of each shard. Other engines take no notice of it.
   */
  readonly fanOut?: boolean
  /**
   * 0 to 100; default 0. Where a stream's reads are limited, subscriptions that lag read what is behind with the reads that
   * those at the head leave over: those of a higher priority first.
   */
  readonly priority?: number
  /** Calls of the handler at a time, over all shards. 1 to 10,000; default 16. */
  readonly concurrency?: number
  /** 1 to 43,200,000 (12 h); default 30,000. */
  readonly timeoutMs?: number
  readonly failure?: FailureOptions
  /** What guards the handler's downstream; default: nothing but `concurrency`. */
  readonly protect?: ProtectOptions
  /** Called once an event's tries are used up, before it is dead-lettered, held or dropped: undo what finished steps did. */
  readonly onExhausted?: Handler<Data>
  /** 1 second to 365 days; default 14 days. */
  readonly ledgerRetentionMs?: number
  /** 1 to 1,000,000; default 4,096. */
  readonly maxBufferedRecords?: number
  /** 1 byte to 1 GiB; default 32 MiB. One record is taken in however large it is. */
  readonly maxBufferedBytes?: number
  /**
   * 0 to 64; default 0: handlers run on the process's own thread. More are for handlers that compute: each thread loads
   * the application file and runs one call at a time, as long as that call does not wait for something.
   */
  readonly threads?: number
}

/** A queue has no positions to begin at, and a message that a filter passed over would be gone. */
export type QueueSubscribeOptions<Data> = Omit<
  ReadingOptions<Data>,
  'from' | 'filter' | 'strays' | 'fanOut' | 'priority'
> &
  HandleOptions<Data>

/** Something an operator may want to be told. */
export type Notice =
  | {
      readonly kind: 'dead-letter'
      readonly subscription: string
      readonly id: string
      readonly key: string
      readonly reason: string
      readonly atMs: number
    }
  | {
      readonly kind: 'dropped'
      readonly subscription: string
      readonly id: string
      readonly key: string
      readonly reason: string
      readonly atMs: number
    }
  | {
      readonly kind: 'key-held'
      readonly subscription: string
      readonly id: string
      readonly key: string
      readonly parked: boolean
      readonly reason: string
      readonly atMs: number
    }
  | {
      readonly kind: 'retention-near'
      readonly subscription: string
      readonly stream: string
      readonly shardId: string
      readonly behindMs: number
      readonly retentionMs: number
      readonly atMs: number
    }
  | {
      readonly kind: 'expired'
      readonly subscription: string
      readonly stream: string
      readonly shardId: string
      readonly records: number
      readonly atMs: number
    }
  | {
      readonly kind: 'breaker-opened'
      readonly subscription: string
      readonly reason: string
      readonly probesAtMs: number
      readonly atMs: number
    }
  | {
      readonly kind: 'breaker-closed'
      readonly subscription: string
      /** How long it was open, its probing included. */
      readonly openMs: number
      readonly atMs: number
    }
  | {
      /** Changes of the policy that the application file does not allow any more: the file's count instead. */
      readonly kind: 'policy-rejected'
      readonly subscription: string
      readonly reason: string
      readonly atMs: number
    }
  | {
      readonly kind: 'subscription-stopped'
      readonly subscription: string
      readonly shardId: string
      readonly reason: string
      readonly atMs: number
    }

/** Where notices go. A sink that throws is logged and never disturbs the stream. */
export interface NotifySink {
  readonly name: string
  notify(notice: Notice): Promise<void> | void
}

export interface AppDefinition {
  readonly kind: 'app'
  readonly streams: readonly StreamDefinition[]
  readonly queues: readonly QueueDefinition[]
  // biome-ignore lint/suspicious/noExplicitAny: handlers of any data type stand side by side in an application
  readonly subscriptions: readonly SubscriptionDefinition<any>[]
  readonly notify: readonly NotifySink[]
}
