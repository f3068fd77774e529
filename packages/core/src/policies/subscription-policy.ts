import { checkInteger } from '../model/option-checks.ts'
import type { SubscriptionPolicy } from '../model/policy.ts'
import { failurePolicy } from './failure-policy.ts'
import { protectPolicy } from './protect-policy.ts'

/** What an author, or a person who changes it later, writes. Checked here, so of any type. */
export interface PolicyOptions {
  readonly concurrency?: unknown
  readonly timeoutMs?: unknown
  readonly failure?: unknown
  readonly protect?: unknown
}

/**
 * The whole policy of a subscription, with defaults: concurrency 16, timeoutMs 30,000. One check for the application
 * file and for changes while it runs.
 *
 * @param path - where these options stand, for error messages; empty: at the top
 * @throws InvalidOptionError
 */
export function subscriptionPolicy(options: PolicyOptions, path = ''): SubscriptionPolicy {
  const at = (name: string): string => (path === '' ? name : `${path}.${name}`)
  const { concurrency = 16, timeoutMs = 30_000, failure, protect } = options
  return {
    concurrency: checkInteger(at('concurrency'), concurrency, 1, 10_000),
    timeoutMs: checkInteger(at('timeoutMs'), timeoutMs, 1, 43_200_000),
    // Whatever came, these two look at every member.
    failure: failurePolicy(failure as Parameters<typeof failurePolicy>[0], at('failure')),
    protect: protectPolicy(protect as Parameters<typeof protectPolicy>[0], at('protect')),
  }
}
