import { createHash } from 'node:crypto'
import type { AwsResources } from './aws-resources.ts'

/** Of SQS queues, with `.fifo`, and of EventBridge Scheduler's groups. */
const MAX_QUEUE_NAME = 80
const MAX_STREAM_NAME = 128
const HASH_DIGITS = 10

/** The Kinesis stream of an application's stream. */
export function streamNameOf(
  { name, streams }: Pick<AwsResources, 'name' | 'streams'>,
  stream: string,
): string {
  return streams !== undefined && Object.hasOwn(streams, stream)
    ? (streams[stream] as string)
    : fitted(`${name}-${stream}`, MAX_STREAM_NAME, /[^a-zA-Z0-9_.-]/g)
}

/**
 * The SQS queue of a queue of the port, such as `retry/charge` or `queue/emails`.
 * @param isFifo - it keeps groups in order
 */
export function queueNameOf({ name }: Pick<AwsResources, 'name'>, queue: string, isFifo: boolean): string {
  const suffix = isFifo ? '.fifo' : ''
  return `${fitted(`${name}-${queue}`, MAX_QUEUE_NAME - suffix.length, /[^a-zA-Z0-9_-]/g)}${suffix}`
}

/** The DynamoDB table with everything that is no payload. */
export function tableNameOf({ name }: Pick<AwsResources, 'name'>): string {
  return name
}

/** The EventBridge Scheduler group of the application's one-time schedules. */
export function scheduleGroupOf({ name }: Pick<AwsResources, 'name'>): string {
  return name
}

/** The consumer of enhanced fan-out that a subscription reads its stream by: 1 to 128 characters. */
export function consumerNameOf({ name }: Pick<AwsResources, 'name'>, subscription: string): string {
  return fitted(`${name}-${subscription}`, MAX_STREAM_NAME, /[^a-zA-Z0-9_.-]/g)
}

/** A name as it is where the service allows it; else with a hash behind it, so that no two become one. */
function fitted(text: string, maxLength: number, forbidden: RegExp): string {
  const allowed = text.replace('/', '-').replace(forbidden, '-')
  const isFaithful = allowed === text.replace('/', '-') && allowed.length <= maxLength
  if (isFaithful) return allowed
  const hash = createHash('sha256').update(text).digest('hex').slice(0, HASH_DIGITS)
  return `${allowed.slice(0, maxLength - HASH_DIGITS - 1)}-${hash}`
}
