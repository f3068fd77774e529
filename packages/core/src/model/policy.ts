import type { FailurePolicy } from './failure.ts'
import type { ProtectPolicy } from './protect.ts'

/** What of a subscription is policy: plain data but for `failure.classify`, read anew at every decision. */
export interface SubscriptionPolicy {
  /** Handlers of this subscription that run at a time, over all shards. */
  readonly concurrency: number
  readonly timeoutMs: number
  readonly failure: FailurePolicy
  readonly protect: ProtectPolicy
}
