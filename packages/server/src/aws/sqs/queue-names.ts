import type { AwsCall } from '../aws-service.ts'
import { invalidAddress, invalidParameter, noSuchQueue } from './sqs-errors.ts'

const PLAIN_NAME = /^[A-Za-z0-9_-]{1,80}$/
const FIFO_NAME = /^[A-Za-z0-9_-]{1,75}\.fifo$/

/** Where a queue is, as clients know it. */
export type QueuePlace = Pick<AwsCall, 'region' | 'accountId'>

/** @throws AwsError if a queue of this type may not be called so */
export function checkQueueName(name: string, fifo: boolean): void {
  if (fifo && !FIFO_NAME.test(name)) {
    throw invalidParameter(
      'The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length.',
    )
  }
  if (!fifo && !PLAIN_NAME.test(name)) {
    throw invalidParameter(
      'Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length',
    )
  }
}

export function queueUrl(call: AwsCall, name: string): string {
  return `${call.baseUrl}/${call.accountId}/${name}`
}

export function queueArn(place: QueuePlace, name: string): string {
  return `arn:aws:sqs:${place.region}:${place.accountId}:${name}`
}

/** By its path alone: a client may know the endpoint by another host name. */
export function nameFromUrl(url: string, call: AwsCall): string {
  const path = /^https?:\/\/[^/]+(\/[^?#]*)$/.exec(url)?.[1] ?? url
  const [, account, name, ...more] = path.split('/')
  if (account === undefined || name === undefined || name === '' || more.length > 0) throw invalidAddress(url)
  if (account !== call.accountId) throw noSuchQueue()
  return name
}

/** Undefined: no queue of this endpoint. */
export function nameFromArn(arn: string, place: QueuePlace): string | undefined {
  const prefix = queueArn(place, '')
  return arn.startsWith(prefix) ? arn.slice(prefix.length) : undefined
}

/** Of an ARN that was checked when it was stored: the endpoint's region may be another one since. */
export function nameFromStoredArn(arn: string): string {
  return arn.slice(arn.lastIndexOf(':') + 1)
}
