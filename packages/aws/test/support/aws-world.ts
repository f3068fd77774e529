import { GetQueueUrlCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { systemClock } from '@eddy/embedded'
import { type RunningScheduler, startScheduler } from '@eddy/testing/scheduler'
import { startDynalite } from './dynalite.ts'
import { startFauxqs, startKinesisLocal } from './emulators.ts'
import { startKinesalite } from './kinesalite.ts'

/** Every service that an application on AWS uses, made by others: all of it in memory, on loopback. */
export interface AwsWorld {
  /** What a process needs to find them, as AWS' own programs read it. */
  readonly env: Readonly<Record<string, string>>
  readonly scheduler: RunningScheduler
  close(): Promise<void>
}

export const SCHEDULER_ROLE = 'arn:aws:iam::000000000000:role/scheduler'

interface AwsWorldOptions {
  readonly kinesis?: 'kinesalite' | 'kinesis-local'
}

/**
 * @param options.kinesis - default kinesalite, which is quick; kinesis-local knows enhanced fan-out
 * @throws Error that says what to run, when an emulator is not installed
 */
export async function startAwsWorld({ kinesis = 'kinesalite' }: AwsWorldOptions = {}): Promise<AwsWorld> {
  const closing: (() => Promise<void>)[] = []
  const close = async (): Promise<void> => {
    for (const one of closing.splice(0).reverse()) await one()
  }
  try {
    const fauxqs = await startFauxqs()
    closing.push(() => fauxqs.stop())
    const dynalite = await startDynalite()
    closing.push(() => dynalite.close())
    const streams = await (kinesis === 'kinesalite' ? startKinesalite() : startKinesisLocal())
    closing.push(() => ('close' in streams ? streams.close() : streams.stop()))
    const sqs = new SQSClient({
      ...{ endpoint: fauxqs.endpoint, region: 'us-east-1', maxAttempts: 1 },
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    })
    const scheduler = await startScheduler({
      clock: systemClock,
      invoke: async ({ arn, input, messageGroupId }) => {
        const { QueueUrl: url } = await sqs.send(new GetQueueUrlCommand({ QueueName: arn.split(':').at(-1) }))
        const group = messageGroupId === undefined ? {} : { MessageGroupId: messageGroupId }
        await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: input, ...group }))
      },
    })
    closing.push(async () => {
      await scheduler.close()
      sqs.destroy()
    })
    return {
      scheduler,
      close,
      env: {
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        AWS_ENDPOINT_URL: fauxqs.endpoint,
        AWS_ENDPOINT_URL_DYNAMODB: dynalite.endpoint,
        AWS_ENDPOINT_URL_KINESIS: streams.endpoint,
        AWS_ENDPOINT_URL_SCHEDULER: scheduler.endpoint,
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}
