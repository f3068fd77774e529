import type { Queue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import type { SubscriptionDescription } from '../app/app-description.ts'
import type { EventSourceMappings } from '../mappings/event-source-mappings.ts'
import { queueMapping, retryMapping, streamMapping } from '../mappings/mapping-spec.ts'
import type { SubscriptionOptions } from '../options/subscription-options.ts'
import { liveGrants, retryGrants } from '../roles/role-grants.ts'
import type { RolePlan } from '../roles/role-plan.ts'
import { EddyFunction, type FunctionDefaults } from './eddy-function.ts'
import { TopicFunction } from './topic-function.ts'

const MEMORY_MIB = 512

/** What a subscription reads. */
export type Source =
  | {
      readonly kind: 'stream'
      readonly arn: string
      readonly retentionHours: number
      /** The consumer, when it reads by enhanced fan-out. */
      readonly consumerArn: string | undefined
    }
  | { readonly kind: 'queue'; readonly queue: Queue; readonly dead: Queue }

export interface SubscriptionFunctionsOptions {
  readonly subscription: SubscriptionDescription
  readonly options: SubscriptionOptions
  readonly timeoutSeconds: number
  readonly source: Source
  readonly retryQueue: Queue
  readonly bucketArn: string
  readonly plan: RolePlan
  readonly defaults: FunctionDefaults
  readonly mappings: EventSourceMappings
}

/** The functions of a subscription: first attempts, later ones, and what topics tell. One handler, all callers (I7). */
export class SubscriptionFunctions extends Construct {
  readonly live: EddyFunction
  readonly retry: EddyFunction
  /** Undefined without `topics`. */
  readonly topic: EddyFunction | undefined

  constructor(scope: Construct, id: string, given: SubscriptionFunctionsOptions) {
    super(scope, id)
    const { defaults, mappings, options, plan, source, subscription, timeoutSeconds } = given
    const { name } = subscription
    const role = {
      subscription,
      writesTo: options.writesTo,
      ...(source.kind === 'stream' &&
        source.consumerArn !== undefined && { consumerArns: [source.consumerArn] }),
    }
    const common = {
      timeoutSeconds,
      memoryMiB: options.memoryMiB ?? MEMORY_MIB,
      environment: { ...options.environment, EDDY_SUBSCRIPTION: name },
    }
    this.live = new EddyFunction(this, 'Live', defaults, {
      ...common,
      handler: source.kind === 'stream' ? 'kinesis' : 'queue',
      description: `${name}: first attempts`,
      reservedConcurrency: options.reservedConcurrency,
      grants: liveGrants(plan, role),
    })
    this.retry = new EddyFunction(this, 'Retry', defaults, {
      ...common,
      handler: 'retry',
      description: `${name}: later attempts`,
      grants: retryGrants(plan, role),
    })
    const { topics = [] } = options
    if (source.kind === 'queue' && topics.length > 0) {
      const { dead } = source
      this.topic = new TopicFunction(this, 'Topic', { topics, role, dead, plan, defaults, common }).topic
    }
    const mapped = { functionName: this.live.function.functionArn }
    if (source.kind === 'stream') {
      const sourceArn = source.consumerArn ?? source.arn
      const spec = streamMapping(
        { ...mapped, sourceArn },
        subscription,
        { ...source, bucketArn: given.bucketArn },
        options,
      )
      mappings.add(`${name}-live`, subscription.source.name, spec, [this.live])
    } else {
      const spec = queueMapping({ ...mapped, sourceArn: source.queue.queueArn }, options)
      mappings.add(`${name}-live`, `queue/${subscription.source.name}`, spec, [this.live])
    }
    const retries = { functionName: this.retry.function.functionArn, sourceArn: given.retryQueue.queueArn }
    mappings.add(`${name}-retry`, `retry/${name}`, retryMapping(retries, options), [this.retry])
  }
}
