import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns'
import { InvalidOptionError, NotifyError, type NotifySink } from '@eddy/core'
import { sdkErrorOf } from '../sdk/sdk-error.ts'
import { noticeMessage } from './notice-message.ts'
import { snsClient } from './sns-client.ts'

export interface SnsSinkOptions {
  /** A standard or a FIFO topic; in a FIFO topic the notices of a subscription are one group. */
  readonly topicArn: string
  /** Default: a client of the region that the ARN names. */
  readonly client?: SNSClient
  /** Of one message, 2,048 to 1,048,576; default 262,144, which every topic takes. More needs the topic's own attribute. */
  readonly maxBytes?: number
  /** Waits between tries; default: real time. */
  readonly wait?: (delayMs: number) => Promise<void>
  /** Default `sns`. */
  readonly name?: string
}

const TRIES = 3
const FIRST_WAIT_MS = 500
const ARN = /^arn:[a-z-]+:sns:([a-z0-9-]+):\d+:[a-zA-Z0-9_-]+(\.fifo)?$/

/**
 * Publishes each notice to an SNS topic, as JSON, with `kind` and `subscription` as attributes to filter by: at most three
 * tries, 500 ms and 1 s apart; what SNS refuses for good ends them at once. `notify` rejects with NotifyError when no try
 * got through; the Notifier counts and logs that, and the stream never waits for it.
 *
 * @throws InvalidOptionError
 */
export function snsSink(options: SnsSinkOptions): NotifySink {
  const { topicArn, maxBytes = 262_144, name = 'sns', wait = sleep } = options
  const [matched, region, fifo] = ARN.exec(topicArn) ?? []
  if (matched === undefined || region === undefined)
    throw new InvalidOptionError('snsSink().topicArn', 'the ARN of an SNS topic', topicArn)
  if (!Number.isInteger(maxBytes) || maxBytes < 2_048 || maxBytes > 1_048_576)
    throw new InvalidOptionError('snsSink().maxBytes', 'a whole number from 2048 to 1048576', maxBytes)
  let client = options.client
  return {
    name,
    async notify(notice) {
      client ??= snsClient({ region })
      const command = new PublishCommand({
        TopicArn: topicArn,
        ...noticeMessage(notice, maxBytes),
        ...(fifo !== undefined && {
          MessageGroupId: notice.subscription,
          // The same for each try: one whose answer was lost counts.
          MessageDeduplicationId: randomUUID(),
        }),
      })
      let problem = ''
      for (let attempt = 1; attempt <= TRIES; attempt += 1) {
        if (attempt > 1) await wait(FIRST_WAIT_MS * 2 ** (attempt - 2))
        try {
          await client.send(command)
          return
        } catch (error) {
          const told = sdkErrorOf(error)
          problem = told.problem
          if (told.kind === 'refused' || told.kind === 'bug') break
        }
      }
      throw new NotifyError(name, topicArn, problem)
    },
  }
}
