import type { AwsStructure } from '../../aws-service.ts'
import { requiredText, textIn, wholeIn } from '../input.ts'
import type { LiveQueue } from '../live-queue.ts'
import { invalidParameter, invalidValue, missingParameter, prefixed } from '../sqs-errors.ts'
import type { StoredAttribute, StoredContent } from '../store/stored.ts'
import { checkCharacters } from './check-characters.ts'
import { md5OfText, sha256OfText } from './digests.ts'
import { readAttributes, readTraceHeader } from './read-attributes.ts'

/** All messages of a batch together, as one message at most. */
const MAX_BATCH_BYTES = 1_048_576
/** Of message groups and deduplication ids: letters, digits and ASCII punctuation. */
const ID = /^[!-~]{1,128}$/
const OTHER_QUEUE_TYPE = 'The request include parameter that is not valid for this queue type.'

/** A message as it was asked to be sent, checked. */
export interface MessageToSend {
  readonly content: StoredContent
  /** Undefined: the queue's. */
  readonly delayMs: number | undefined
  readonly group: string | undefined
  /** With content-based deduplication, what was made of the body. */
  readonly deduplicationId: string | undefined
}

/** @throws AwsError if this queue does not take it */
export function readMessage(queue: LiveQueue, input: AwsStructure, senderId: string): MessageToSend {
  const body = requiredText(input, 'MessageBody')
  checkCharacters(body)
  const attributes = readAttributes(input)
  const traceHeader = readTraceHeader(input)
  if (messageBytes(body, attributes) > queue.maxMessageBytes) {
    throw invalidParameter(
      `One or more parameters are invalid. Reason: Message must be shorter than ${queue.maxMessageBytes} bytes.`,
    )
  }
  return {
    content: { body, bodyMd5: md5OfText(body), senderId, attributes, traceHeader },
    delayMs: readDelay(queue, input),
    ...readIds(queue, input, body),
  }
}

/** @throws AwsError if the messages of a batch are together more than a message may be */
export function checkBatchBytes(inputs: readonly AwsStructure[]): void {
  const bytes = inputs.reduce((sum, input) => {
    const body = textIn(input, 'MessageBody') ?? ''
    return sum + messageBytes(body, readableAttributes(input))
  }, 0)
  if (bytes <= MAX_BATCH_BYTES) return
  throw prefixed(
    'BatchRequestTooLong',
    `Batch requests cannot be longer than ${MAX_BATCH_BYTES} bytes. You have sent ${bytes} bytes.`,
  )
}

/** Body, and names, types and values of attributes; the trace header does not count. */
function messageBytes(body: string, attributes: readonly StoredAttribute[]): number {
  return attributes.reduce(
    (sum, { name, type, value }) => sum + byteLength(name) + byteLength(type) + byteLength(value),
    byteLength(body),
  )
}

/** Those of an entry that will be refused by itself do not count. */
function readableAttributes(input: AwsStructure): readonly StoredAttribute[] {
  try {
    return readAttributes(input)
  } catch {
    return []
  }
}

function byteLength(value: string | Uint8Array): number {
  return typeof value === 'string' ? Buffer.byteLength(value) : value.length
}

function readDelay(queue: LiveQueue, input: AwsStructure): number | undefined {
  const seconds = wholeIn(input, 'DelaySeconds', {
    min: 0,
    max: 900,
    reason: 'DelaySeconds must be >= 0 and <= 900.',
  })
  // A FIFO queue delays as a whole; nought says nothing.
  if (queue.fifo && seconds !== undefined && seconds > 0) {
    throw invalidValue(seconds, 'DelaySeconds', OTHER_QUEUE_TYPE)
  }
  return seconds === undefined || queue.fifo ? undefined : 1_000 * seconds
}

function readIds(
  queue: LiveQueue,
  input: AwsStructure,
  body: string,
): Pick<MessageToSend, 'group' | 'deduplicationId'> {
  const group = readId(input, 'MessageGroupId')
  const deduplicationId = readId(input, 'MessageDeduplicationId')
  if (!queue.fifo) {
    if (deduplicationId !== undefined) {
      throw invalidValue(deduplicationId, 'MessageDeduplicationId', OTHER_QUEUE_TYPE)
    }
    return { group, deduplicationId }
  }
  if (group === undefined) throw missingParameter('MessageGroupId')
  if (deduplicationId !== undefined) return { group, deduplicationId }
  if (queue.stored.attributes.ContentBasedDeduplication !== 'true') {
    throw invalidParameter(
      'The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly',
    )
  }
  return { group, deduplicationId: sha256OfText(body) }
}

/** @throws AwsError if it is there and no id */
export function readId(input: AwsStructure, name: string): string | undefined {
  const id = textIn(input, name)
  if (id === undefined || ID.test(id)) return id
  throw invalidValue(
    id.slice(0, 200),
    name,
    `${name} can only include alphanumeric and punctuation characters. 1 to 128 in length.`,
  )
}
