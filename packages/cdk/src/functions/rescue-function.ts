import { Duration } from 'aws-cdk-lib'
import { EventField, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events'
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets'
import type { Bucket } from 'aws-cdk-lib/aws-s3'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import type { EventSourceMappings } from '../mappings/event-source-mappings.ts'
import { queueMapping } from '../mappings/mapping-spec.ts'
import { FAILED_BATCHES } from '../resources/payload-bucket.ts'
import { RESCUE_SECONDS } from '../resources/rescue-seconds.ts'
import { rescueGrants } from '../roles/role-grants.ts'
import type { RolePlan } from '../roles/role-plan.ts'
import { sendGrants } from '../roles/sqs-grants.ts'
import { EddyFunction, type FunctionDefaults } from './eddy-function.ts'
import { keepFailedInvocations } from './keep-failed-invocations.ts'

/** Takes each batch that Lambda gave up, as it is put into the bucket, and puts its records into the ledger. */
export class RescueFunction extends Construct {
  readonly rescue: EddyFunction

  constructor(
    scope: Construct,
    id: string,
    { bucket, deadInvocations, deadQueues, defaults, environment, mappings, plan }: RescueOptions,
  ) {
    super(scope, id)
    this.rescue = new EddyFunction(this, 'Handler', defaults, {
      handler: 'rescue',
      description: 'Batches whose function died: each record to the ledger',
      timeoutSeconds: RESCUE_SECONDS,
      memoryMiB: 512,
      environment,
      grants: [
        ...rescueGrants(
          plan,
          [...deadQueues.values()].map(({ queueName }) => queueName),
        ),
        ...sendGrants(plan.place, [deadInvocations.queueName]),
      ],
    })
    keepFailedInvocations(this.rescue, deadInvocations)
    for (const [name, { queueArn: sourceArn }] of deadQueues) {
      const mapped = { functionName: this.rescue.function.functionArn, sourceArn }
      mappings.add(`rescue:${name}`, `dead/${name}`, queueMapping(mapped, {}), [this.rescue])
    }
    const failed = new Rule(this, 'Failed', {
      description: 'A batch that Lambda gave up',
      eventPattern: {
        source: ['aws.s3'],
        detailType: ['Object Created'],
        detail: { bucket: { name: [bucket.bucketName] }, object: { key: [{ prefix: FAILED_BATCHES }] } },
      },
    })
    failed.addTarget(
      new LambdaFunction(this.rescue.function, {
        // The notification that S3 itself would send.
        event: RuleTargetInput.fromObject({
          Records: [
            {
              eventSource: 'aws:s3',
              eventName: 'ObjectCreated:Put',
              s3: {
                bucket: { name: EventField.fromPath('$.detail.bucket.name') },
                object: { key: EventField.fromPath('$.detail.object.key') },
              },
            },
          ],
        }),
        deadLetterQueue: deadInvocations,
        maxEventAge: Duration.hours(24),
        retryAttempts: 185,
      }),
    )
  }
}

interface RescueOptions {
  readonly bucket: Bucket
  readonly deadInvocations: Queue
  /** Of queue sources, by their names. */
  readonly deadQueues: ReadonlyMap<string, Queue>
  readonly environment: Readonly<Record<string, string>>
  readonly mappings: EventSourceMappings
  readonly defaults: FunctionDefaults
  readonly plan: RolePlan
}
