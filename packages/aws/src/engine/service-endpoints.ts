export type ServiceName = 'dynamodb' | 'kinesis' | 's3' | 'scheduler' | 'sns' | 'sqs'

export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Another address of a service, by the variables that the AWS SDK and command know: AWS_ENDPOINT_URL_KINESIS before
 * AWS_ENDPOINT_URL. They are read here too since more depends on them: HTTP/1.1 for Kinesis, buckets in the path for S3,
 * and that SQS is not asked where a queue's own URL points.
 */
export function endpointOf(service: ServiceName, env: Environment): string | undefined {
  if (env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS === 'true') return undefined
  const endpoint = env[`AWS_ENDPOINT_URL_${service.toUpperCase()}`] ?? env.AWS_ENDPOINT_URL
  return endpoint === '' ? undefined : endpoint
}
