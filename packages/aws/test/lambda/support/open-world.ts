import type { SqsEvent } from '@eddy/aws/lambda'
import type { AppDefinition } from '@eddy/core'
import { onTestFinished } from 'vitest'
import { LambdaWorld, type LambdaWorldOptions, type Sandbox } from './lambda-world.ts'

/** A world that is stopped at the end of the test. */
export async function openWorld(
  makeApp: (sandbox: Sandbox) => AppDefinition,
  options?: LambdaWorldOptions,
): Promise<LambdaWorld> {
  const world = await LambdaWorld.open(makeApp, options)
  onTestFinished(() => world.stop())
  return world
}

/** A message of SQS as an event has it. */
export function sqsRecord(messageId: string, body: string): SqsEvent['Records'][number] {
  return {
    messageId,
    receiptHandle: messageId,
    body,
    attributes: {},
    eventSource: 'aws:sqs',
    eventSourceARN: '',
  }
}
