import type { HandlerContext } from './app.ts'
import type { EddyEvent } from './event.ts'
import type { AttemptPath } from './ledger-item.ts'

/** One event of a batch. */
export interface BatchItem<Data = unknown> {
  /** Names the item within its batch. Not the event's id: two events may share one. */
  readonly id: string
  readonly event: EddyEvent<Data>
  /** The event's own context, as for a handler of single events: its attempt, its steps, its derived events. */
  readonly ctx: HandlerContext
}

export interface BatchContext {
  readonly subscription: string
  readonly stream: string
  /** A retry or redrive is a batch of one. */
  readonly path: AttemptPath
  /** Aborts when the call's time is up or the process stops; the items' signals abort with it. */
  readonly signal: AbortSignal
}

/** How one item went: plain data. An error that `outcome` made says what the failure means, as if it were thrown. */
export type ItemOutcome =
  | { readonly id: string; readonly ok: true }
  | { readonly id: string; readonly ok: false; readonly error: unknown }

/**
 * Handles several events in one call. Items of a key (with `blocks: 'shard'` of a shard) stand next to each other, in
 * order. Returns an outcome for each item: one that has none counts as failed, and so does every item when the call
 * throws, outlives `timeoutMs` or returns anything else.
 *
 * With `blocks: 'key'` or `'shard'` nothing after a key's (a shard's) first failure counts as done: those items come
 * again once the failed one is resolved.
 */
export type BatchHandler<Data = unknown> = (
  items: readonly BatchItem<Data>[],
  ctx: BatchContext,
) => Promise<readonly ItemOutcome[]> | readonly ItemOutcome[]

export interface BatchOptions {
  /** Events in a batch, at most. 1 to 10,000; default 100. */
  readonly maxEvents?: number
  /** How long the first event of a batch waits for others. 0 to 300,000 (5 minutes); default 0: it takes what is there. */
  readonly maxWaitMs?: number
  /** Payload in a batch, at most; one event is taken however large it is. 1 byte to 1 GiB; default 8 MiB. */
  readonly maxBytes?: number
}

export interface BatchDefinition<Data = unknown> {
  readonly handle: BatchHandler<Data>
  readonly maxEvents: number
  readonly maxWaitMs: number
  readonly maxBytes: number
}

/** The item was handled. */
export function succeeded(item: Pick<BatchItem, 'id'>): ItemOutcome {
  return { id: item.id, ok: true }
}

/** The item failed. @param error - whatever a handler of single events would throw, an `outcome` too */
export function failed(item: Pick<BatchItem, 'id'>, error: unknown): ItemOutcome {
  return { id: item.id, ok: false, error }
}
