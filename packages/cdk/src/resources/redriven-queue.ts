import { Duration, type RemovalPolicy, Validations } from 'aws-cdk-lib'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'

/** The longest that SQS keeps a message. */
const RETENTION = Duration.days(14)

export interface RedrivenQueueOptions {
  readonly name: string
  readonly deadName: string
  readonly isFifo: boolean
  /** Longer than any function works on a batch: at least 6 times its timeout and the batching window, as Lambda asks. */
  readonly visibilitySeconds: number
  /** After so many receives a message goes to the dead queue: one that kills whatever takes it. */
  readonly maxReceiveCount: number
  readonly key: IKey | undefined
  readonly removalPolicy: RemovalPolicy
  /** Of the dead queue, when a function reads it. */
  readonly deadVisibilitySeconds?: number
}

/** A queue, and behind it one for messages that nothing could take. Encrypted, TLS only. */
export class RedrivenQueue extends Construct {
  readonly queue: Queue
  readonly dead: Queue

  constructor(scope: Construct, id: string, options: RedrivenQueueOptions) {
    super(scope, id)
    const { deadName, isFifo, maxReceiveCount, name, visibilitySeconds } = options
    this.dead = deadQueue(this, 'Dead', {
      ...options,
      name: deadName,
      visibilitySeconds: options.deadVisibilitySeconds,
    })
    this.queue = new Queue(this, 'Queue', {
      ...commonOptions(options),
      queueName: name,
      ...(isFifo && { fifo: true }),
      visibilityTimeout: Duration.seconds(visibilitySeconds),
      deadLetterQueue: { queue: this.dead, maxReceiveCount },
    })
  }
}

/** Where messages end that nothing could take: what stays in it rings an alarm. */
export function deadQueue(
  scope: Construct,
  id: string,
  options: Pick<RedrivenQueueOptions, 'name' | 'isFifo' | 'key' | 'removalPolicy'> & {
    readonly visibilitySeconds?: number | undefined
  },
): Queue {
  const dead = new Queue(scope, id, {
    ...commonOptions(options),
    queueName: options.name,
    ...(options.isFifo && { fifo: true }),
    ...(options.visibilitySeconds !== undefined && {
      visibilityTimeout: Duration.seconds(options.visibilitySeconds),
    }),
  })
  Validations.of(dead).acknowledge({
    id: 'AwsSolutions-SQS3',
    reason: 'it is where messages end that nothing could take: a queue behind it would hide them',
  })
  return dead
}

function commonOptions({ key, removalPolicy }: Pick<RedrivenQueueOptions, 'key' | 'removalPolicy'>) {
  return {
    retentionPeriod: RETENTION,
    enforceSSL: true,
    removalPolicy,
    ...(key === undefined
      ? { encryption: QueueEncryption.SQS_MANAGED }
      : { encryption: QueueEncryption.KMS, encryptionMasterKey: key }),
  }
}
