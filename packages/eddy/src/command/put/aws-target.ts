import { UsageError } from '../command-errors.ts'
import { eventOfLine, type LineEvents } from './line-events.ts'
import type { PutTarget } from './put-target.ts'

export interface AwsTargetOptions {
  readonly endpoint: string
  /** Default: as the AWS SDK finds it. */
  readonly region?: string
  /** No order is asked for: the stream may place records by itself. */
  readonly isUnordered: boolean
}

/**
 * A stream of Amazon Kinesis Data Streams, or of an endpoint that speaks its API. The AWS SDK is loaded now: nobody else
 * needs it.
 * @throws UsageError it is not installed, or no region is known
 */
export async function awsTarget(
  lines: LineEvents,
  { endpoint, region, isUnordered }: AwsTargetOptions,
): Promise<PutTarget> {
  const { KinesisProducerLog, kinesisClient } = await loadKinesis()
  const client = kinesisClient({ endpoint, ...(region !== undefined && { region }) })
  await client.config.region().catch((error: unknown) => {
    throw new UsageError(
      '--region: expected the name of a region, such as us-east-1, since neither AWS_REGION nor the profile names one',
      {},
      { cause: error },
    )
  })
  return {
    name: lines.stream,
    log: new KinesisProducerLog({ client, allowAutoDistribution: isUnordered }),
    toRecord: ({ line }, id) => eventOfLine(line, id, lines),
    close: () => client.destroy(),
  }
}

async function loadKinesis(): Promise<typeof import('@eddy/aws/kinesis')> {
  try {
    return await import('@eddy/aws/kinesis')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new UsageError(
      '--aws-endpoint needs the AWS SDK for Kinesis, which is not installed. Install it with: npm install @aws-sdk/client-kinesis',
      {},
      { cause: error },
    )
  }
}
