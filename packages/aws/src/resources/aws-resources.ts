import { InvalidOptionError } from '@eddy/core'

/** Where an application's resources are in its account and region: what the engine is told, and the constructs create. */
export interface AwsResources {
  /** Begins the names of all that is made for the application: 1 to 32 characters of `a-z0-9-`, a letter first. */
  readonly name: string
  /** S3 bucket of payloads that are too large for items and messages. */
  readonly bucket: string
  /** Kinesis streams that are there already, by the application's own names; others are called `<name>-<stream>`. */
  readonly streams?: Readonly<Record<string, string>>
  /** Role that EventBridge Scheduler takes on to send to the queues: for what is due in more than 15 minutes. */
  readonly schedulerRoleArn?: string
  /** SQS queue of what EventBridge Scheduler could not send in a day; standard. */
  readonly deadSchedulesArn?: string
  /** SNS topic that notices go to, beside the application's own sinks. */
  readonly topicArn?: string
}

const NAME = /^[a-z][a-z0-9-]{0,31}$/

/** @throws InvalidOptionError that names the option, under `path` */
export function checkResources(resources: AwsResources, path = 'resources'): AwsResources {
  const { name, bucket } = resources
  if (typeof name !== 'string' || !NAME.test(name))
    throw new InvalidOptionError(`${path}.name`, '1 to 32 characters of a-z 0-9 -, a letter first', name)
  if (typeof bucket !== 'string' || bucket === '')
    throw new InvalidOptionError(`${path}.bucket`, 'the name of an S3 bucket', bucket)
  return resources
}
