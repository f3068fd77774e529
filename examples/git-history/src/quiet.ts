import { setTimeout as sleep } from 'node:timers/promises'
import type { SubscriptionStatus } from 'eddy'

/** Held events that do not become fewer for this long wait for a person. */
const PARKED_AFTER_MS = 10_000

/**
 * Waits until a subscription has nothing left to do: all read, nothing running, nothing to retry, nothing held behind
 * another event. What is dead or held for a person stays so.
 *
 * @throws the signal's reason when it aborts
 */
export async function untilQuiet(
  show: () => Promise<SubscriptionStatus>,
  signal?: AbortSignal,
): Promise<SubscriptionStatus> {
  let heldBefore = -1
  let changedAtMs = performance.now()
  for (;;) {
    const status = await show()
    const { held } = status
    if (isBusy(status) || held !== heldBefore) {
      heldBefore = held
      changedAtMs = performance.now()
    } else if (held === 0) return status
    if (performance.now() - changedAtMs > PARKED_AFTER_MS) return status
    await sleep(50, undefined, { signal })
  }
}

function isBusy({ lagRecords, lagMs, inFlight, retrying, shards }: SubscriptionStatus): boolean {
  if (lagRecords + lagMs + inFlight + retrying > 0) return true
  return shards.some(({ buffered, state }) => buffered > 0 || state === 'recovering' || state === 'waiting')
}
