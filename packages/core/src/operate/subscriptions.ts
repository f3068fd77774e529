import { InvalidOptionError } from '../errors/request-errors.ts'
import { checkInteger, checkOneOf } from '../model/option-checks.ts'
import type { SeekTarget } from '../runtime/subscription-control.ts'
import type { SubscriptionStatus } from './operations.ts'
import type { OperationsDeps } from './operations-deps.ts'

const SEEK_WORDS = ['trim_horizon', 'latest', 'at_timestamp', 'at_sequence_number'] as const

/** By name. */
export async function subscriptionStatuses(
  deps: Pick<OperationsDeps, 'subscriptions'>,
): Promise<readonly SubscriptionStatus[]> {
  const statuses = await Promise.all([...deps.subscriptions.values()].map((control) => control.status()))
  return statuses.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** @throws InvalidOptionError */
export function checkSeek(to: SeekTarget): void {
  checkOneOf('to.at', to.at, SEEK_WORDS)
  if (to.at === 'at_timestamp') checkInteger('to.timestampMs', to.timestampMs, 0, Number.MAX_SAFE_INTEGER)
  if (to.at === 'at_sequence_number' && !/^(?:0|[1-9]\d{0,128})$/.test(to.sequenceNumber)) {
    throw new InvalidOptionError('to.sequenceNumber', 'a decimal sequence number', to.sequenceNumber)
  }
}
