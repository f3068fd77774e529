import type { FailurePolicy } from '../model/failure.ts'
import type { SubscriptionPolicy } from '../model/policy.ts'
import type { ProtectPolicy } from '../model/protect.ts'

/** The policy that counts now. Whoever decides looks here each time, and keeps nothing of it beyond the decision. */
export class CurrentPolicy implements SubscriptionPolicy {
  #policy: SubscriptionPolicy
  #version = 0

  constructor(policy: SubscriptionPolicy) {
    this.#policy = policy
  }

  /** 0 while the application file decides alone; raised by every change that a person makes. */
  get version(): number {
    return this.#version
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

  /** From here on every decision is made by this one. */
  replace(policy: SubscriptionPolicy, version: number): void {
    this.#policy = policy
    this.#version = version
  }
}
