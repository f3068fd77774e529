import { CfnEventInvokeConfig } from 'aws-cdk-lib/aws-lambda'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import type { EddyFunction } from './eddy-function.ts'

/** Asynchronous invocations that fail three times are kept in a queue, whose alarm tells. The role must allow the send. */
export function keepFailedInvocations({ function: target, node }: EddyFunction, dead: Queue): void {
  const config = new CfnEventInvokeConfig(node.scope as EddyFunction, `${node.id}Invocations`, {
    functionName: target.functionName,
    qualifier: '$LATEST',
    maximumRetryAttempts: 2,
    destinationConfig: { onFailure: { destination: dead.queueArn } },
  })
  config.node.addDependency(dead)
}
