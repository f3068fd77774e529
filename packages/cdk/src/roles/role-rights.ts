import { consumerNameOf, queueNameOf, streamNameOf } from '@eddy/aws/resources'
import type { AppDescription } from '../app/app-description.ts'
import { arn, type Grant } from './grant.ts'
import {
  httpGrants,
  liveGrants,
  rescueGrants,
  retryGrants,
  schedulerServiceGrants,
  sweepGrants,
  workerGrants,
} from './role-grants.ts'
import type { RolePlan } from './role-plan.ts'

/** One action on one resource. */
export interface Right {
  /** `dynamodb:BatchGetItem`. */
  readonly action: string
  /** An ARN without partition, region and account: `dynamodb:table/shop`. */
  readonly resource: string
}

export interface RoleRights {
  /** By the names of subscriptions: first attempts and later ones. */
  readonly live: ReadonlyMap<string, readonly Right[]>
  readonly retry: ReadonlyMap<string, readonly Right[]>
  readonly http: readonly Right[]
  readonly sweep: readonly Right[]
  readonly rescue: readonly Right[]
  readonly worker: readonly Right[]
  /** What EventBridge Scheduler may do when a schedule is due. */
  readonly scheduler: readonly Right[]
}

const PLACE = { partition: 'aws', region: 'eu-west-1', account: '111122223333' }

/** What the roles of an application allow, without its template: bucket, topic and role have the names given here. */
export function roleRights(
  app: AppDescription,
  {
    name,
    bucket,
    topic,
    schedulerRole,
  }: {
    readonly name: string
    readonly bucket: string
    readonly topic: string
    readonly schedulerRole: string
  },
): RoleRights {
  const plan: RolePlan = {
    app,
    resources: {
      name,
      bucket,
      schedulerRoleArn: `arn:aws:iam::${PLACE.account}:role/${schedulerRole}`,
      topicArn: arn(PLACE, 'sns', topic),
    },
    place: PLACE,
    keyArn: undefined,
    isInVpc: false,
  }
  const dead = app.queues.map((queue) =>
    queueNameOf(plan.resources, `dead-queue/${queue.name}`, queue.isFifo),
  )
  const role = (subscription: AppDescription['subscriptions'][number]) => ({
    subscription,
    consumerArns: consumersOf(plan, [subscription]),
  })
  const each = (grantsOf: typeof liveGrants) =>
    new Map(app.subscriptions.map((one) => [one.name, rightsOf(grantsOf(plan, role(one)))]))
  return {
    live: each(liveGrants),
    retry: each(retryGrants),
    http: rightsOf(httpGrants(plan)),
    sweep: rightsOf(sweepGrants(plan)),
    rescue: rightsOf(rescueGrants(plan, dead)),
    worker: rightsOf(workerGrants(plan, consumersOf(plan, app.subscriptions))),
    scheduler: rightsOf(schedulerServiceGrants(plan, [])),
  }
}

function consumersOf(plan: RolePlan, subscriptions: AppDescription['subscriptions']): readonly string[] {
  return subscriptions
    .filter(({ fanOut, source }) => fanOut && source.kind === 'stream')
    .map(({ name, source }) => {
      const stream = streamNameOf(plan.resources, source.name)
      return arn(PLACE, 'kinesis', `stream/${stream}/consumer/${consumerNameOf(plan.resources, name)}`)
    })
}

/** Each once, in order. */
function rightsOf(grants: readonly Grant[]): readonly Right[] {
  const rights = new Map<string, Right>()
  for (const { service, actions, resources } of grants) {
    for (const action of actions) {
      for (const resource of resources) {
        const right = { action: `${service}:${action}`, resource: shortened(resource) }
        rights.set(`${right.action} ${right.resource}`, right)
      }
    }
  }
  return [...rights].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, right]) => right)
}

/** `arn:aws:dynamodb:eu-west-1:111122223333:table/shop` → `dynamodb:table/shop`. */
function shortened(resource: string): string {
  const [, , service = '', , , ...tail] = resource.split(':')
  return `${service}:${tail.join(':')}`
}
