import { SubscriptionNotFoundError } from '../errors/request-errors.ts'
import type { PolicyControl } from '../runtime/subscription-control.ts'
import { actorOf, type Changing } from './action.ts'
import type { Audit } from './audit.ts'
import type { Operations } from './operations.ts'
import type { OperationsDeps } from './operations-deps.ts'

/** What a person may ask of a running subscription's policy. */
export function policyOperations(
  deps: Pick<OperationsDeps, 'subscriptions'>,
  audit: Audit,
  changing: Changing,
): Pick<Operations, 'showPolicy' | 'changePolicy'> {
  const require = (name: string): PolicyControl => {
    const control = deps.subscriptions.get(name)
    if (control === undefined) throw new SubscriptionNotFoundError(name)
    return control.policy
  }
  const change: Operations['changePolicy'] = async (name, wanted, options) => {
    const actor = actorOf(options)
    const { dryRun, expectVersion } = options ?? {}
    const result = await require(name).change(wanted, { ...actor, dryRun, expectVersion })
    if (!result.dryRun && result.changes.length > 0)
      await audit.append(actor, 'policy', name, result.changes.length, result.changes)
    return result
  }
  return {
    showPolicy: async (name) => await require(name).state(),
    // A dry run changes nothing: a read-only server answers it, too.
    changePolicy: (name, wanted, options) =>
      options?.dryRun === true
        ? change(name, wanted, options)
        : changing('changing a policy', () => change(name, wanted, options)),
  }
}
