import { setTimeout as sleep } from 'node:timers/promises'
import type { Operations, SubscriptionStatus } from 'eddy'

/**
 * Waits until a subscription has nothing left to do: all read, nothing running, nothing to retry. What is dead or held
 * for a person stays so, and is not waited for.
 *
 * @throws the signal's reason when it aborts
 */
export async function untilQuiet(
  operations: Pick<Operations, 'showSubscription'>,
  subscription: string,
  signal: AbortSignal,
): Promise<SubscriptionStatus> {
  for (;;) {
    const status = await operations.showSubscription(subscription)
    if (isQuiet(status)) return status
    await sleep(50, undefined, { signal })
  }
}

function isQuiet({ lagRecords, inFlight, retrying }: SubscriptionStatus): boolean {
  return lagRecords === 0 && inFlight === 0 && retrying === 0
}
