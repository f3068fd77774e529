import { Aws, type RemovalPolicy } from 'aws-cdk-lib'
import { CfnStreamConsumer } from 'aws-cdk-lib/aws-kinesis'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { Construct } from 'constructs'
import type { StreamDescription } from '../app/app-description.ts'
import { eventStream, retentionHoursOf } from './event-stream.ts'

export interface EventStreamsOptions {
  readonly streams: readonly StreamDescription[]
  /** It is there already, and left as it is. */
  readonly isExisting: (stream: string) => boolean
  readonly nameOf: (stream: string) => string
  readonly key: IKey | undefined
  readonly removalPolicy: RemovalPolicy
}

/** The streams of an application, by its own names: those that are made, and those that are there. */
export class EventStreams extends Construct {
  readonly #streams = new Map<
    string,
    { readonly name: string; readonly arn: string; readonly retentionHours: number }
  >()
  /** The consumer of each that was registered last: the service registers few at a time. */
  readonly #consumers = new Map<string, CfnStreamConsumer>()

  constructor(scope: Construct, id: string, options: EventStreamsOptions) {
    super(scope, id)
    for (const stream of options.streams) {
      const name = options.nameOf(stream.name)
      const arn = options.isExisting(stream.name)
        ? `arn:${Aws.PARTITION}:kinesis:${Aws.REGION}:${Aws.ACCOUNT_ID}:stream/${name}`
        : eventStream(this, stream, { ...options, name }).attrArn
      this.#streams.set(stream.name, { name, arn, retentionHours: retentionHoursOf(stream) })
    }
  }

  /** What Kinesis calls it, where it is, and what it keeps. */
  of(stream: string): { readonly name: string; readonly arn: string; readonly retentionHours: number } {
    const found = this.#streams.get(stream)
    if (found === undefined) throw new Error(`there is no stream ${stream}`)
    return found
  }

  /** Registers a consumer with a throughput of its own, after those that were registered before. */
  consumerOf(stream: string, consumerName: string): CfnStreamConsumer {
    const consumer = new CfnStreamConsumer(this, `consumer:${stream}:${consumerName}`, {
      consumerName,
      streamArn: this.of(stream).arn,
    })
    const previous = this.#consumers.get(stream)
    if (previous !== undefined) consumer.addDependency(previous)
    this.#consumers.set(stream, consumer)
    return consumer
  }
}
