import type {
  KinesisEvent,
  KinesisRecord,
  S3Record,
  SnsEvent,
  SnsRecord,
  SqsRecord,
} from './lambda-events.ts'

/** Records of a shard that an event source mapping gave up. */
export interface LostRecords {
  readonly kind: 'records'
  readonly functionArn: string
  readonly streamArn: string
  readonly shardId: string
  readonly first: string
  readonly last: string
  readonly batchSize: number
  /** `RetryAttemptsExhausted`, or that they grew too old. */
  readonly condition: string
  readonly invokeCount: number
  /** The records themselves, which only an object of S3 has. */
  readonly records: readonly KinesisRecord[] | undefined
}

/** Messages that a function of a topic, or of a queue, did not survive. */
export type LostMessages =
  | {
      readonly kind: 'notices'
      readonly functionArn: string | undefined
      readonly records: readonly SnsRecord[]
    }
  | { readonly kind: 'message'; readonly record: SqsRecord }

export type Lost = LostRecords | LostMessages

export type ReadObject = (bucket: string, key: string) => Promise<string>

/** The document of a destination (Lambda developer guide, "Retain discarded batch records", "asynchronous invocation"). */
interface Document {
  readonly requestContext?: {
    readonly functionArn?: string
    readonly condition?: string
    readonly approximateInvokeCount?: number
  }
  readonly KinesisBatchInfo?: {
    readonly shardId: string
    readonly startSequenceNumber: string
    readonly endSequenceNumber: string
    readonly batchSize: number
    readonly streamArn: string
  }
  readonly payload?: string
  readonly requestPayload?: unknown
  readonly Records?: readonly unknown[]
  /** Of a message that SNS put into a queue. */
  readonly Message?: string
  readonly TopicArn?: string
}

/** How deep a document may lie in others: an object's notice in a topic's message in a queue. */
const MAX_DEPTH = 4

/**
 * Everything that was lost by one document, wherever it lies: an object of S3 that an event names, the body of a message
 * in SQS, the message of a topic, the event itself.
 *
 * @throws Error for what is none of them: it must not be taken for handled
 */
export async function lostIn(value: unknown, readObject: ReadObject, depth = 0): Promise<readonly Lost[]> {
  const document = value as Document
  if (depth > MAX_DEPTH || typeof value !== 'object' || value === null) throw unknownDocument()
  if (document.KinesisBatchInfo !== undefined) return [lostRecords(document, document.KinesisBatchInfo)]
  if (document.requestPayload !== undefined) {
    const records = noticesIn(document.requestPayload)
    const functionArn = document.requestContext?.functionArn
    return [{ kind: 'notices', functionArn, records }]
  }
  if (typeof document.Message === 'string' && typeof document.TopicArn === 'string')
    return await lostIn(parsed(document.Message), readObject, depth + 1)
  if (!Array.isArray(document.Records)) throw unknownDocument()
  const lost: Lost[] = []
  for (const record of document.Records) lost.push(...(await lostInRecord(record, readObject, depth)))
  return lost
}

async function lostInRecord(
  record: unknown,
  readObject: ReadObject,
  depth: number,
): Promise<readonly Lost[]> {
  const { s3 } = record as Partial<S3Record>
  if (s3 !== undefined) {
    const key = decodeURIComponent(s3.object.key.replaceAll('+', ' '))
    return await lostIn(parsed(await readObject(s3.bucket.name, key)), readObject, depth + 1)
  }
  const { Sns } = record as Partial<SnsRecord>
  if (Sns !== undefined) {
    // What a topic got that was a function's source is the message itself: its dead-letter queue has the event.
    if (depth > 0) return [{ kind: 'notices', functionArn: undefined, records: [record as SnsRecord] }]
    return await lostIn(parsed(Sns.Message), readObject, depth + 1)
  }
  const { body, messageId } = record as Partial<SqsRecord>
  if (typeof body !== 'string' || typeof messageId !== 'string') throw unknownDocument()
  // Moved from a queue of the application to the queue behind it: the message itself.
  if ((record as SqsRecord).attributes?.DeadLetterQueueSourceArn !== undefined)
    return [{ kind: 'message', record: record as SqsRecord }]
  return await lostIn(parsed(body), readObject, depth + 1)
}

function lostRecords(document: Document, info: NonNullable<Document['KinesisBatchInfo']>): LostRecords {
  const { requestContext = {}, payload } = document
  return {
    kind: 'records',
    functionArn: requestContext.functionArn ?? '',
    streamArn: info.streamArn,
    shardId: info.shardId,
    first: info.startSequenceNumber,
    last: info.endSequenceNumber,
    batchSize: info.batchSize,
    condition: requestContext.condition ?? 'unknown',
    invokeCount: requestContext.approximateInvokeCount ?? 0,
    records: payload === undefined ? undefined : (parsed(payload) as KinesisEvent).Records,
  }
}

function noticesIn(payload: unknown): readonly SnsRecord[] {
  const { Records } = payload as Partial<SnsEvent>
  if (!Array.isArray(Records) || Records.some((record) => record.Sns === undefined)) throw unknownDocument()
  return Records
}

/** What is no JSON may be anybody's: the parser's own error quotes it, and is logged. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw unknownDocument()
  }
}

function unknownDocument(): Error {
  return new Error('a document that is none of a failed batch: expected one of an OnFailure destination')
}
