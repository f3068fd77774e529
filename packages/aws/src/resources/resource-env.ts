import { InvalidOptionError } from '@eddy/core'
import { type AwsResources, checkResources } from './aws-resources.ts'

/** The environment variables that carry resources to functions, workers and the command. */
export const RESOURCE_VARIABLES: Readonly<Record<keyof AwsResources, string>> = {
  name: 'EDDY_NAME',
  bucket: 'EDDY_BUCKET',
  streams: 'EDDY_STREAMS',
  schedulerRoleArn: 'EDDY_SCHEDULER_ROLE_ARN',
  deadSchedulesArn: 'EDDY_DEAD_SCHEDULES_ARN',
  topicArn: 'EDDY_TOPIC_ARN',
}

type Environment = Readonly<Record<string, string | undefined>>

/** @throws InvalidOptionError that names the variable */
export function resourcesFromEnv(env: Environment): AwsResources {
  const { name, bucket, streams, schedulerRoleArn, deadSchedulesArn, topicArn } = RESOURCE_VARIABLES
  const required = (variable: string, what: string): string => {
    const value = env[variable]
    if (value === undefined || value === '') throw new InvalidOptionError(variable, what, value)
    return value
  }
  const names = env[streams]
  const role = env[schedulerRoleArn]
  const dead = env[deadSchedulesArn]
  const topic = env[topicArn]
  return checkResources({
    name: required(name, "the application's name among its resources, such as orders-prod"),
    bucket: required(bucket, 'the name of an S3 bucket for payloads'),
    ...(names !== undefined && names !== '' && { streams: streamNamesIn(names, streams) }),
    ...(role !== undefined && role !== '' && { schedulerRoleArn: role }),
    ...(dead !== undefined && dead !== '' && { deadSchedulesArn: dead }),
    ...(topic !== undefined && topic !== '' && { topicArn: topic }),
  })
}

/** What `resourcesFromEnv` reads. */
export function resourceEnv(resources: AwsResources): Readonly<Record<string, string>> {
  const { name, bucket, streams, schedulerRoleArn, deadSchedulesArn, topicArn } = checkResources(resources)
  return {
    [RESOURCE_VARIABLES.name]: name,
    [RESOURCE_VARIABLES.bucket]: bucket,
    ...(streams !== undefined && { [RESOURCE_VARIABLES.streams]: JSON.stringify(streams) }),
    ...(schedulerRoleArn !== undefined && { [RESOURCE_VARIABLES.schedulerRoleArn]: schedulerRoleArn }),
    ...(deadSchedulesArn !== undefined && { [RESOURCE_VARIABLES.deadSchedulesArn]: deadSchedulesArn }),
    ...(topicArn !== undefined && { [RESOURCE_VARIABLES.topicArn]: topicArn }),
  }
}

function streamNamesIn(text: string, variable: string): Readonly<Record<string, string>> {
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) {
      if (Object.values(parsed).every((name) => typeof name === 'string'))
        return parsed as Record<string, string>
    }
  } catch {}
  throw new InvalidOptionError(
    variable,
    'a JSON object of stream names, such as {"orders":"orders-v2"}',
    text,
  )
}
