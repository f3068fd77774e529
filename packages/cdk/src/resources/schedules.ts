import { scheduleGroupOf } from '@eddy/aws/resources'
import { Aws, type RemovalPolicy } from 'aws-cdk-lib'
import { type Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler'
import { Construct } from 'constructs'
import { arn, type Grant, type Place } from '../roles/grant.ts'
import { serviceRole } from '../roles/service-role.ts'

/** One-time schedules of what is due in more than 15 minutes: their group, and the role that sends them. */
export class Schedules extends Construct {
  readonly role: Role

  constructor(
    scope: Construct,
    id: string,
    options: { name: string; place: Place; grants: readonly Grant[]; removalPolicy: RemovalPolicy },
  ) {
    super(scope, id)
    const { grants, name, place, removalPolicy } = options
    const group = new CfnScheduleGroup(this, 'Group', { name: scheduleGroupOf({ name }) })
    group.applyRemovalPolicy(removalPolicy)
    this.role = serviceRole(this, 'Role', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: {
          StringEquals: {
            'aws:SourceAccount': Aws.ACCOUNT_ID,
            'aws:SourceArn': arn(place, 'scheduler', `schedule-group/${scheduleGroupOf({ name })}`),
          },
        },
      }),
      description: `${name}: sends what is due to its queue`,
      grants,
    })
  }
}
