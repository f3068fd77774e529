import type { ITopic } from 'aws-cdk-lib/aws-sns'
import { LambdaSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { type SubscriptionRole, topicGrants } from '../roles/role-grants.ts'
import type { RolePlan } from '../roles/role-plan.ts'
import { sendGrants } from '../roles/sqs-grants.ts'
import { EddyFunction, type FunctionDefaults, type FunctionOptions } from './eddy-function.ts'
import { keepFailedInvocations } from './keep-failed-invocations.ts'

export interface TopicFunctionOptions {
  readonly topics: readonly ITopic[]
  readonly role: SubscriptionRole
  /** What Lambda tried three times goes here, and from here to the rescue. */
  readonly dead: Queue
  readonly plan: RolePlan
  readonly defaults: FunctionDefaults
  readonly common: Pick<FunctionOptions, 'timeoutSeconds' | 'memoryMiB' | 'environment'>
}

/** Messages of SNS topics, as those of the queue that a subscription reads. */
export class TopicFunction extends Construct {
  readonly topic: EddyFunction

  constructor(scope: Construct, id: string, options: TopicFunctionOptions) {
    super(scope, id)
    const { common, dead, defaults, plan, role, topics } = options
    this.topic = new EddyFunction(this, 'Handler', defaults, {
      ...common,
      handler: 'sns',
      description: `${role.subscription.name}: messages of topics`,
      grants: [...topicGrants(plan, role), ...sendGrants(plan.place, [dead.queueName])],
    })
    keepFailedInvocations(this.topic, dead)
    for (const topic of topics) topic.addSubscription(new LambdaSubscription(this.topic.function))
  }
}
