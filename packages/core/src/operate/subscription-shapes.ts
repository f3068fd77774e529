import type { Limit } from '../protect/start-limits.ts'

export interface SubscriptionShardStatus {
  readonly shardId: string
  /**
   * `waiting`: its parents are not done, or no worker has it yet. `recovering`: replays serially after an unclean stop.
   * `blocked`: `blocks: 'shard'`. `elsewhere`: another worker reads it, and knows more.
   */
  readonly state:
    | 'waiting'
    | 'recovering'
    | 'reading'
    | 'blocked'
    | 'paused'
    | 'ended'
    | 'stopped'
    | 'elsewhere'
  /** With several workers: which one reads it. One that is read `elsewhere` is told of as stored. */
  readonly owner?: string
  /** Where the next start would begin: the lowest unresolved sequence number; absent before the first record. */
  readonly checkpoint?: string
  /** Records between the checkpoint and the end of the shard; undefined where the engine cannot tell. */
  readonly lagRecords?: number
  readonly lagMs: number
  /** Read, not yet resolved. */
  readonly buffered: number
  readonly expiredRecords: number
}

/** How a subscription's downstream is protected now. */
export interface ProtectionStatus {
  /** Of the breaker; `closed` also without one. `ramping`: closed again, and not yet at the full rate. */
  readonly state: 'closed' | 'open' | 'probing' | 'ramping'
  /** Since when nothing, or only probes, are started. */
  readonly openSinceMs?: number
  /** With `open`: when it will probe. */
  readonly probesAtMs?: number
  readonly rampEndsAtMs?: number
  /** Why it opened last. */
  readonly reason?: string
  /** The pause; it doubles when the probing fails. */
  readonly pauseMs?: number
  /** Outcomes that were looked at since it closed or began to probe, and how many of them failed. */
  readonly outcomes?: number
  readonly failed?: number
  /** What would refuse a first attempt, or a retry, this moment. */
  readonly firstRefusedBy?: Limit
  readonly retryRefusedBy?: Limit
  /** Retries that are due and wait for their start. Those of an open breaker wait in their queue and do not count. */
  readonly waitingRetries: number
  /** Handlers at a time, and rates, as they are allowed now. */
  readonly concurrency: number
  readonly ratePerSecond?: number
  readonly retryRatePerSecond?: number
  /** Retries that first attempts have paid for, beside the floor. */
  readonly retryCredits?: number
}
