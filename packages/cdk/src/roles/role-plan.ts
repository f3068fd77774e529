import { type AwsResources, queueNameOf, streamNameOf, tableNameOf } from '@eddy/aws/resources'
import type { AppDescription, SubscriptionDescription } from '../app/app-description.ts'
import type { Place } from './grant.ts'

/** What an application's resources are called. */
export interface NamePlan {
  readonly app: AppDescription
  readonly resources: Pick<AwsResources, 'name' | 'streams'>
  readonly place: Place
  /** The key that everything is encrypted with, when it is not the services' own. */
  readonly keyArn: string | undefined
}

/** What the roles of an application are made from: names alone, so that they can be read without a template. */
export interface RolePlan extends NamePlan {
  readonly resources: AwsResources & { readonly schedulerRoleArn: string; readonly topicArn: string }
  readonly isInVpc: boolean
}

export function tableOf({ resources }: NamePlan): string {
  return tableNameOf(resources)
}

export function streamsOf(
  { app, resources }: NamePlan,
  names: readonly string[] = app.streams.map(({ name }) => name),
): readonly string[] {
  return names.map((name) => streamNameOf(resources, name))
}

/** Queues that applications send to; `names` are the application's. */
export function sourceQueuesOf(
  { app, resources }: NamePlan,
  names: readonly string[] = app.queues.map(({ name }) => name),
): readonly string[] {
  return app.queues
    .filter(({ name }) => names.includes(name))
    .map(({ name, isFifo }) => queueNameOf(resources, `queue/${name}`, isFifo))
}

/** Queues of the retries of subscriptions. */
export function retryQueuesOf(
  { app, resources }: NamePlan,
  subscriptions: readonly Pick<SubscriptionDescription, 'name'>[] = app.subscriptions,
): readonly string[] {
  return subscriptions.map(({ name }) => queueNameOf(resources, `retry/${name}`, false))
}
