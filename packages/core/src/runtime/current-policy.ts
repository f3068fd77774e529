import type { FailurePolicy } from '../model/failure.ts'
import type { SubscriptionPolicy } from '../model/policy.ts'
import type { ProtectPolicy } from '../model/protect.ts'

/** The policy that counts now. Whoever decides looks here each time, and keeps nothing of it beyond the decision. */
export class CurrentPolicy implements SubscriptionPolicy {
  readonly #policy: SubscriptionPolicy

  constructor(policy: SubscriptionPolicy) {
    this.#policy = policy
  }

  get concurrency(): number {
    return this.#policy.concurrency
  }

  get timeoutMs(): number {
    return this.#policy.timeoutMs
  }

  get failure(): FailurePolicy {
    return this.#policy.failure
  }

  get protect(): ProtectPolicy {
    return this.#policy.protect
  }
}
