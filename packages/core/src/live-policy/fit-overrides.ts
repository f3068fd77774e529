import { isEddyError } from '../errors/eddy-error.ts'
import type { SubscriptionPolicy } from '../model/policy.ts'
import { POLICY_PATHS, type PolicyPath, type PolicyValue, type RejectedPart } from '../model/policy-state.ts'
import type { Overrides } from './change-parts.ts'
import { type PolicyFile, partsOf, policyOf } from './policy-parts.ts'

export interface FittedPolicy {
  readonly policy: SubscriptionPolicy
  /** Those of the overrides that count. */
  readonly counting: Overrides
  readonly rejected: readonly RejectedPart[]
}

/** They say together what becomes of an exhausted event: one without the other may mean something else. */
const TOGETHER: readonly PolicyPath[] = ['failure.blocks', 'failure.exhausted']

/**
 * The application file's policy with a person's changes over it. Changes that do not fit the file any more (it was
 * edited since) are left out, each for itself: the others are safeguards that somebody counts on.
 */
export function fitOverrides(file: PolicyFile, overrides: Overrides): FittedPolicy {
  const base = partsOf(file)
  const rejected: RejectedPart[] = []
  let counting: Overrides = {}
  let policy: SubscriptionPolicy = file
  for (const group of groupsOf(overrides)) {
    const added: Overrides = {}
    for (const path of group) added[path] = overrides[path] as PolicyValue
    try {
      policy = policyOf({ ...base, ...counting, ...added }, file)
      counting = { ...counting, ...added }
    } catch (error) {
      if (!isEddyError(error)) throw error
      for (const path of group)
        rejected.push({ path, value: overrides[path] as PolicyValue, reason: error.message })
    }
  }
  return { policy, counting, rejected }
}

function groupsOf(overrides: Overrides): readonly (readonly PolicyPath[])[] {
  const paths = POLICY_PATHS.filter((path) => path in overrides)
  const together = paths.filter((path) => TOGETHER.includes(path))
  const alone = paths.filter((path) => !TOGETHER.includes(path)).map((path) => [path])
  return together.length === 0 ? alone : [together, ...alone]
}
