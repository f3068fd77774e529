import { scheduleGroupOf } from '@eddy/aws/resources'
import type { SubscriptionDescription } from '../app/app-description.ts'
import { tableGrants } from './dynamodb-grants.ts'
import type { Grant } from './grant.ts'
import {
  consumerGrants,
  describeStreamGrants,
  readStreamGrants,
  writeStreamGrants,
} from './kinesis-grants.ts'
import { keyGrants } from './kms-grants.ts'
import { networkGrants } from './network-grants.ts'
import {
  type NamePlan,
  type RolePlan,
  retryQueuesOf,
  sourceQueuesOf,
  streamsOf,
  tableOf,
} from './role-plan.ts'
import { listBucketGrants, payloadGrants } from './s3-grants.ts'
import { scheduleGrants } from './scheduler-grants.ts'
import { publishGrants } from './sns-grants.ts'
import { depthGrants, purgeGrants, receiveGrants, sendGrants } from './sqs-grants.ts'

/** Streams and queues that a handler writes to, by the application's names. Undefined: all of them. */
export interface WritesTo {
  readonly streams?: readonly string[]
  readonly queues?: readonly string[]
}

export interface SubscriptionRole {
  readonly subscription: SubscriptionDescription
  readonly writesTo?: WritesTo | undefined
  /** The consumer that reads its stream by enhanced fan-out. */
  readonly consumerArns?: readonly string[]
}

/** The first attempt of a subscription: reads its stream or queue, and puts what fails in its place. */
export function liveGrants(
  plan: RolePlan,
  { subscription, writesTo, consumerArns = [] }: SubscriptionRole,
): readonly Grant[] {
  const { source } = subscription
  const { place, resources } = plan
  const reads =
    source.kind === 'queue'
      ? receiveGrants(place, sourceQueuesOf(plan, [source.name]))
      : [
          ...readStreamGrants(place, streamsOf(plan, [source.name])),
          ...consumerGrants(place, streamsOf(plan, [source.name]), consumerArns),
          ...listBucketGrants(place, resources.bucket),
        ]
  return [...reads, ...handlingGrants(plan, subscription, writesTo)]
}

/** First attempts of what topics tell: nothing is read, SNS brings it. */
export function topicGrants(plan: RolePlan, { subscription, writesTo }: SubscriptionRole): readonly Grant[] {
  return handlingGrants(plan, subscription, writesTo)
}

/** Later attempts of a subscription: takes its tokens from the retry queue. */
export function retryGrants(plan: RolePlan, { subscription, writesTo }: SubscriptionRole): readonly Grant[] {
  const { name, kind } = subscription.source
  return [
    ...receiveGrants(plan.place, retryQueuesOf(plan, [subscription])),
    ...(kind === 'stream' ? describeStreamGrants(plan.place, streamsOf(plan, [name])) : []),
    ...handlingGrants(plan, subscription, writesTo),
  ]
}

/** Ingest and administration: appends, sends, redrives, purges. It creates no stream. */
export function httpGrants(plan: RolePlan): readonly Grant[] {
  const queues = [...sourceQueuesOf(plan), ...retryQueuesOf(plan)]
  return [
    ...writeStreamGrants(plan.place, streamsOf(plan)),
    ...sendGrants(plan.place, queues),
    ...depthGrants(plan.place, queues),
    ...purgeGrants(plan.place, sourceQueuesOf(plan)),
    ...ledgerGrants(plan),
  ]
}

/** Rounds over what has no caller of its own: lost tokens, payloads that nobody needs, redrive jobs. */
export function sweepGrants(plan: RolePlan): readonly Grant[] {
  const queues = retryQueuesOf(plan)
  return [
    ...describeStreamGrants(plan.place, streamsOf(plan)),
    ...sendGrants(plan.place, queues),
    ...depthGrants(plan.place, queues),
    ...listBucketGrants(plan.place, plan.resources.bucket),
    ...ledgerGrants(plan),
  ]
}

/**
 * Batches whose function died, and messages that nothing could take: puts them in the ledger.
 * @param deadQueues - of the queue sources
 */
export function rescueGrants(plan: RolePlan, deadQueues: readonly string[]): readonly Grant[] {
  return [
    ...readStreamGrants(plan.place, streamsOf(plan)),
    ...receiveGrants(plan.place, deadQueues),
    ...sendGrants(plan.place, retryQueuesOf(plan)),
    ...ledgerGrants(plan),
  ]
}

/** A long-running worker: all subscriptions, first attempts and later ones. */
export function workerGrants(plan: RolePlan, consumerArns: readonly string[] = []): readonly Grant[] {
  const queues = [...sourceQueuesOf(plan), ...retryQueuesOf(plan)]
  return [
    ...readStreamGrants(plan.place, streamsOf(plan)),
    ...consumerGrants(plan.place, streamsOf(plan), consumerArns),
    ...writeStreamGrants(plan.place, streamsOf(plan)),
    ...receiveGrants(plan.place, queues),
    ...sendGrants(plan.place, queues),
    ...purgeGrants(plan.place, sourceQueuesOf(plan)),
    ...listBucketGrants(plan.place, plan.resources.bucket),
    ...ledgerGrants(plan),
  ]
}

/** What EventBridge Scheduler does when a schedule is due. */
export function schedulerServiceGrants(plan: NamePlan, deadQueues: readonly string[]): readonly Grant[] {
  const queues = [...sourceQueuesOf(plan), ...retryQueuesOf(plan), ...deadQueues]
  const sends = sendGrants(plan.place, queues).map((grant) => ({ ...grant, actions: ['SendMessage'] }))
  return [...sends, ...encryptionGrants(plan)]
}

function handlingGrants(
  plan: RolePlan,
  subscription: SubscriptionDescription,
  writesTo: WritesTo = {},
): readonly Grant[] {
  const queues = [...retryQueuesOf(plan, [subscription]), ...sourceQueuesOf(plan, writesTo.queues)]
  return [
    ...writeStreamGrants(plan.place, streamsOf(plan, writesTo.streams)),
    ...sendGrants(plan.place, queues),
    ...ledgerGrants(plan),
  ]
}

/** What everything needs that puts an event in the ledger or takes it from there. */
function ledgerGrants(plan: RolePlan): readonly Grant[] {
  const { place, resources } = plan
  return [
    ...tableGrants(place, tableOf(plan)),
    ...payloadGrants(place, resources.bucket),
    ...scheduleGrants(place, scheduleGroupOf(resources), resources.schedulerRoleArn),
    ...publishGrants(resources.topicArn),
    ...encryptionGrants(plan),
    ...(plan.isInVpc ? networkGrants() : []),
  ]
}

function encryptionGrants({ keyArn }: NamePlan): readonly Grant[] {
  return keyArn === undefined ? [] : keyGrants(keyArn)
}
