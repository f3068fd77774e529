import type { Ledger, LedgerEntry } from '../fail/ledger.ts'
import type { ChangeOptions as PolicyChangeOptions } from '../live-policy/live-policy.ts'
import type { SubscriptionDefinition } from '../model/app.ts'
import type { LedgerItem } from '../model/ledger-item.ts'
import type { PolicyChange, PolicyResult, PolicyState } from '../model/policy-state.ts'
import type { SubscriptionStatus } from '../operate/operations.ts'

export interface RequeueRequest {
  readonly by: string
  readonly jobId: string
  readonly allowOutOfOrder: boolean
}

export type RequeueResult =
  | { readonly kind: 'queued'; readonly item: LedgerItem }
  /** This job queued it already (a job that resumes after a crash asks again); its token was sent once more. */
  | { readonly kind: 'already' }
  | { readonly kind: 'refused'; readonly reason: 'out-of-order' | 'not-dead' }

export type SeekTarget =
  | { readonly at: 'trim_horizon' | 'latest' }
  | { readonly at: 'at_timestamp'; readonly timestampMs: number }
  | { readonly at: 'at_sequence_number'; readonly sequenceNumber: string }

/** The policy of a running subscription, for whoever looks at it or changes it. */
export interface PolicyControl {
  state(): Promise<PolicyState>
  /** @throws InvalidOptionError, PolicyConflictError */
  change(change: PolicyChange, options: PolicyChangeOptions): Promise<PolicyResult>
}

/** What a running subscription offers to operators; `Operations` is written over it. */
export interface SubscriptionControl {
  readonly definition: SubscriptionDefinition
  readonly ledger: Ledger
  readonly policy: PolicyControl
  /** True when handling the item now would be after later events of its key (or shard). */
  wouldRunOutOfOrder(item: LedgerItem): Promise<boolean>
  /** Sends a dead, archived or parked item to be handled again: one conditional write, then a token. */
  requeue(entry: LedgerEntry, request: RequeueRequest): Promise<RequeueResult>
  /** Tells whoever waits for this item's lane that a person decided: sends the lane's token (or the item's) and wakes a blocked shard. */
  nudge(item: LedgerItem): Promise<void>
  status(): Promise<SubscriptionStatus>
  /** Before its queue is purged: nobody waits for what is removed. */
  beforePurge(): Promise<void>
  pause(by: string): Promise<void>
  resume(): Promise<void>
  /** Closes an open breaker: starts ramp up at once. @returns false when it was not open */
  resetBreaker(): Promise<boolean>
  seek(to: SeekTarget, shardId: string | undefined): Promise<void>
}
