import { Aws } from 'aws-cdk-lib'
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { Topic } from 'aws-cdk-lib/aws-sns'
import type { Construct } from 'constructs'

/** Where notices of the application and alarms of CloudWatch go. TLS only; alarms may publish to it. */
export function noticeTopic(
  scope: Construct,
  id: string,
  { name, key }: { name: string; key: IKey | undefined },
): Topic {
  const topic = new Topic(scope, id, {
    topicName: `${name}-notices`,
    enforceSSL: true,
    ...(key !== undefined && { masterKey: key }),
  })
  const alarms = new ServicePrincipal('cloudwatch.amazonaws.com', {
    conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
  })
  topic.grantPublish(alarms)
  return topic
}
