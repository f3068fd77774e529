import { Duration } from 'aws-cdk-lib'
import { Rule, Schedule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets'
import { CfnEventInvokeConfig } from 'aws-cdk-lib/aws-lambda'
import { Construct } from 'constructs'
import { sweepGrants } from '../roles/role-grants.ts'
import type { RolePlan } from '../roles/role-plan.ts'
import { EddyFunction, type FunctionDefaults } from './eddy-function.ts'

/** Under the minute after which the next round begins. */
const TIMEOUT_SECONDS = 55

/** Each minute: tokens that got lost, payloads that nobody needs, redrive jobs. A round that fails is followed by the next. */
export class SweepFunction extends Construct {
  readonly sweep: EddyFunction

  constructor(
    scope: Construct,
    id: string,
    { defaults, plan }: { defaults: FunctionDefaults; plan: RolePlan },
  ) {
    super(scope, id)
    this.sweep = new EddyFunction(this, 'Handler', defaults, {
      handler: 'sweep',
      description: 'Each minute: lost tokens, unneeded payloads, redrive jobs',
      timeoutSeconds: TIMEOUT_SECONDS,
      memoryMiB: 512,
      grants: sweepGrants(plan),
    })
    // The next round comes anyway, and rounds do not run side by side.
    new CfnEventInvokeConfig(this, 'Invocations', {
      functionName: this.sweep.function.functionName,
      qualifier: '$LATEST',
      maximumRetryAttempts: 0,
      maximumEventAgeInSeconds: 60,
    })
    const everyMinute = new Rule(this, 'EachMinute', {
      description: 'A round of the sweep',
      schedule: Schedule.rate(Duration.minutes(1)),
    })
    everyMinute.addTarget(
      new LambdaFunction(this.sweep.function, { maxEventAge: Duration.minutes(1), retryAttempts: 0 }),
    )
  }
}
