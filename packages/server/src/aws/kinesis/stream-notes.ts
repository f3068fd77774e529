export type StreamMode = 'PROVISIONED' | 'ON_DEMAND'
export type DistributionStrategy = 'USER_PARTITION_KEY' | 'AUTO'
export type StreamStatus = 'CREATING' | 'ACTIVE' | 'UPDATING' | 'DELETING'

/** What goes on with a stream between two times; `split`, `merge`, `scale` and `delete` are done at the second one. */
export type StreamChange = {
  /** Epoch milliseconds. */
  readonly sinceMs: number
  readonly untilMs: number
} & (
  | { readonly kind: 'create' }
  | { readonly kind: 'update' }
  | { readonly kind: 'delete' }
  | { readonly kind: 'split'; readonly shardId: string; readonly newStartingHashKey: string }
  | { readonly kind: 'merge'; readonly shardId: string; readonly adjacentShardId: string }
  | { readonly kind: 'scale'; readonly targetShardCount: number }
)

/** A change without its times. */
export type PlannedChange = StreamChange extends infer C
  ? C extends StreamChange
    ? Untimed<C>
    : never
  : never
type Untimed<C> = Omit<C, 'sinceMs' | 'untilMs'>

/** What the service knows of a stream and the log does not. */
export interface StreamNotes {
  /** Of the log's stream that this is about; undefined until it is created. */
  readonly streamId: string | undefined
  readonly mode: StreamMode
  readonly strategy: DistributionStrategy
  readonly tags: { readonly [key: string]: string }
  /** Times of the last UpdateShardCount calls. */
  readonly scaledAtMs: readonly number[]
  /** Undefined: the default of the stream. */
  readonly maxRecordBytes?: number
  /** Records that arrived before this time had expired when retention was raised: they do not come back. */
  readonly expiredBeforeMs?: number
  readonly change?: StreamChange
}

/** Of a stream that was not made here: by an application, or with `eddy streams create`. */
export function plainNotes(streamId: string | undefined): StreamNotes {
  return { streamId, mode: 'PROVISIONED', strategy: 'USER_PARTITION_KEY', tags: {}, scaledAtMs: [] }
}

/** A wall clock that was set back does not prolong a change by more than its own length. */
export function isUnderWay(change: StreamChange, nowMs: number): boolean {
  return nowMs >= change.sinceMs && nowMs < change.untilMs
}

export function statusOf(notes: StreamNotes, nowMs: number): StreamStatus {
  const { change } = notes
  if (change === undefined) return 'ACTIVE'
  switch (change.kind) {
    case 'create':
      return isUnderWay(change, nowMs) ? 'CREATING' : 'ACTIVE'
    case 'update':
      return isUnderWay(change, nowMs) ? 'UPDATING' : 'ACTIVE'
    case 'delete':
      return 'DELETING'
    case 'split':
    case 'merge':
    case 'scale':
      // Until it is done, however long that takes.
      return 'UPDATING'
  }
}
