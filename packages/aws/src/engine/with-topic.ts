import type { AppDefinition } from '@eddy/core'
import type { AwsResources } from '../resources/index.ts'
import { loadService } from './load-service.ts'
import { type Environment, endpointOf } from './service-endpoints.ts'

/**
 * The application with one sink more, where its resources name a topic: its notices go there, too.
 * @throws MissingPackageError, InvalidOptionError
 */
export async function withTopic(
  app: AppDefinition,
  { topicArn }: Pick<AwsResources, 'topicArn'>,
  env: Environment = process.env,
): Promise<AppDefinition> {
  if (topicArn === undefined) return app
  const { snsClient, snsSink } = await loadService(
    '@aws-sdk/client-sns',
    'Amazon SNS',
    () => import('../sns/index.ts'),
  )
  const endpoint = endpointOf('sns', env)
  const client = endpoint === undefined ? {} : { client: snsClient({ endpoint, region: regionOf(topicArn) }) }
  return { ...app, notify: [...app.notify, snsSink({ topicArn, ...client })] }
}

function regionOf(topicArn: string): string {
  return topicArn.split(':')[3] ?? ''
}
