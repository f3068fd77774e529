import { checkHiding } from '../consume/message-hiding.ts'
import type { QueueDefinition } from '../model/message.ts'
import type { SubscriptionPolicy } from '../model/policy.ts'
import { POLICY_PATHS, type PolicyParts, type PolicyPath, type PolicyValue } from '../model/policy-state.ts'
import { checkQueueBlocks } from '../policies/queue-blocks.ts'
import { subscriptionPolicy } from '../policies/subscription-policy.ts'

/** Parts that need not be there: `null` is their absence. */
const OPTIONAL: readonly PolicyPath[] = [
  'failure.maxAgeMs',
  'protect.ratePerSecond',
  'protect.retryRatePerSecond',
  'protect.retryBudget',
  'protect.breaker',
]

/** A policy's plain data, part by part. */
export function partsOf(policy: SubscriptionPolicy): PolicyParts {
  const parts: Partial<Record<PolicyPath, PolicyValue>> = {}
  for (const path of POLICY_PATHS) parts[path] = (memberOf(policy, path) ?? null) as PolicyValue
  return parts as PolicyParts
}

/** What the application file says of a subscription's policy. A queue leaves less choice. */
export type PolicyFile = SubscriptionPolicy & {
  readonly queue?: QueueDefinition | undefined
  /** What the engine's queues allow; undefined: any. */
  readonly maxTimeoutMs?: number | undefined
}

/**
 * The policy of these parts, checked like an author's options.
 * @param file - the application file's: `classify` is code, and stays
 * @throws InvalidOptionError whose option is the path
 */
export function policyOf(parts: PolicyParts, file: PolicyFile): SubscriptionPolicy {
  const { classify } = file.failure
  const failure: Record<string, unknown> = { classify }
  const protect: Record<string, unknown> = {}
  for (const path of POLICY_PATHS) {
    const [group, name] = path.split('.') as [string, string | undefined]
    const value = parts[path]
    if (name === undefined || (value === null && OPTIONAL.includes(path))) continue
    const options = group === 'failure' ? failure : protect
    options[name] = value
  }
  const { concurrency, timeoutMs } = parts
  const policy = subscriptionPolicy({ concurrency, timeoutMs, failure, protect })
  checkHiding('timeoutMs', policy.timeoutMs, file.maxTimeoutMs)
  if (file.queue !== undefined) checkQueueBlocks('failure', file.queue, policy.failure.blocks)
  return policy
}

/** Equal as JSON; members in any order. */
export function isSameValue(a: PolicyValue, b: PolicyValue): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  const [membersOfA, membersOfB] = [Object.entries(a), Object.entries(b)]
  return (
    Array.isArray(a) === Array.isArray(b) &&
    membersOfA.length === membersOfB.length &&
    membersOfA.every(
      ([name, value]) =>
        Object.hasOwn(b, name) && isSameValue(value, (b as Record<string, PolicyValue>)[name] as PolicyValue),
    )
  )
}

function memberOf(policy: SubscriptionPolicy, path: PolicyPath): unknown {
  let value: unknown = policy
  for (const name of path.split('.')) value = (value as Readonly<Record<string, unknown>>)[name]
  return value
}
