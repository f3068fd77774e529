import type { AppDefinition } from '@eddy/core'
import { type NeededRight, neededRights, type RecordedCall } from '../../support/recorded-calls.ts'

/**
 * What a deployment of any application needed, as if it were that of `apps/rights-app.ts`, whose roles the constructs' tests
 * look at: its subscriptions are `charge`, their streams `orders`. What a function does with another subscription's queue
 * or stream keeps its name, so that no role allows it.
 *
 * @param streams - of the application's subscriptions
 */
export function rightsAsShop(
  calls: readonly RecordedCall[],
  name: string,
  streams: ReadonlyMap<string, string>,
): readonly NeededRight[] {
  const rights = new Map<string, NeededRight>()
  for (const { by, action, resource } of neededRights(calls)) {
    const [role = '', own] = by.split(' ')
    const served = own === undefined ? [...streams] : [[own, streams.get(own) ?? own] as const]
    const names = new Map(
      served.flatMap(([subscription, stream]) => [
        [`sqs:${name}-retry-${subscription}`, 'sqs:shop-retry-charge'],
        [`kinesis:stream/${name}-${stream}`, 'kinesis:stream/shop-orders'],
      ]),
    )
    const shared = resource.replace(new RegExp(`(?<=[:/])${name}(?=-payloads/|-payloads$|/|$)`), 'shop')
    const right = {
      by: own === undefined ? role : `${role} charge`,
      action,
      resource: names.get(resource) ?? shared,
    }
    rights.set(`${right.by} ${right.action} ${right.resource}`, right)
  }
  return [...rights].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, right]) => right)
}

/** Of each subscription. */
export function streamsOf({
  subscriptions,
}: Pick<AppDefinition, 'subscriptions'>): ReadonlyMap<string, string> {
  return new Map(subscriptions.map(({ name, stream }) => [name, stream]))
}
