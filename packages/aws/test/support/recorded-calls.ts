import { existsSync, readFileSync } from 'node:fs'
import { findViolations, kinesisModel, type ServiceModel, sqsModel } from '@eddy/server/aws-models'

/** Variables of a child process whose calls are recorded. */
export function recordingEnv(file: string, caller: string): Record<string, string> {
  return {
    EDDY_AWS_CALLS: file,
    EDDY_AWS_CALLER: caller,
    NODE_OPTIONS: `--import=${new URL('./record-calls.mjs', import.meta.url)}`,
  }
}

/** A call as it was sent. */
export interface RecordedCall {
  /** Whose it is: a function's subscription, or `worker`. */
  readonly by: string
  /** `DynamoDB`, as the SDK names it. */
  readonly service: string
  /** `BatchGetItem`. */
  readonly operation: string
  /** Of a call of Kinesis, also of one that names an iterator alone. */
  readonly stream?: string
  /** Bytes are `{ bytes: 12 }`. */
  readonly input: Readonly<Record<string, unknown>>
}

/** What a role must allow for it. */
export interface NeededRight {
  readonly by: string
  /** `dynamodb:BatchGetItem`. */
  readonly action: string
  /** An ARN without partition, region and account: `dynamodb:table/shop`. */
  readonly resource: string
}

/** Whole lines alone: a process that was killed may leave half of one. */
export function readCalls(file: string): readonly RecordedCall[] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as RecordedCall]
    } catch {
      return []
    }
  })
}

/** Each right once, in order. */
export function neededRights(calls: readonly RecordedCall[]): readonly NeededRight[] {
  const rights = new Map<string, NeededRight>()
  for (const call of calls) {
    for (const [action, resource] of rightsOf(call))
      rights.set(`${call.by} ${action} ${resource}`, { by: call.by, action, resource })
  }
  return [...rights].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, right]) => right)
}

const MODELS: Readonly<Record<string, ServiceModel>> = { Kinesis: kinesisModel, SQS: sqsModel }

/** What the services' own models have against the inputs, each once: `SQS SendMessageBatch: Entries: Member must …`. */
export function violationsOf(calls: readonly RecordedCall[]): readonly string[] {
  const found = new Set<string>()
  for (const { service, operation, input } of calls) {
    const model = MODELS[service]
    const shape = model?.operations[operation]?.input
    if (model === undefined || shape === undefined) continue
    for (const { path, constraint } of findViolations(model, shape, withBytes(input) as never))
      found.add(`${service} ${operation}: ${path.join('.')}: ${constraint}`)
  }
  return [...found]
}

function withBytes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withBytes)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value)
  const [first] = entries
  if (entries.length === 1 && first?.[0] === 'bytes' && typeof first[1] === 'number')
    return new Uint8Array(first[1])
  return Object.fromEntries(entries.map(([name, inner]) => [name, withBytes(inner)]))
}

type Right = readonly [action: string, resource: string]

function rightsOf(call: RecordedCall): readonly Right[] {
  const { service, operation, input } = call
  const text = (name: string): string => String(input[name] ?? '')
  switch (service) {
    case 'DynamoDB':
      return tablesOf(input).map((table): Right => [`dynamodb:${operation}`, `dynamodb:table/${table}`])
    case 'Kinesis':
      return [kinesisRight(call)]
    case 'S3':
      return [s3Right(operation, text('Bucket'), text('Key'))]
    case 'SNS':
      return [[`sns:${operation}`, `sns:${lastOf(text('TopicArn'))}`]]
    case 'SQS': {
      const queue = input.QueueUrl === undefined ? text('QueueName') : lastOf(text('QueueUrl'), '/')
      return [[`sqs:${operation.replace(/Batch$/, '')}`, `sqs:${queue}`]]
    }
    case 'Scheduler':
      return schedulerRights(operation, input)
    default:
      throw new Error(`calls of ${service} are of no service that Eddy uses`)
  }
}

/** A query of the index needs the right on the index. */
function tablesOf({ TableName, IndexName, RequestItems }: RecordedCall['input']): readonly string[] {
  const name = (arnOrName: string): string => lastOf(arnOrName, '/')
  if (RequestItems !== undefined) return Object.keys(RequestItems as object).map(name)
  const table = name(String(TableName))
  return [IndexName === undefined ? table : `${table}/index/${String(IndexName)}`]
}

function kinesisRight({ operation, stream, input }: RecordedCall): Right {
  const consumer = /:stream\/([^:]+\/consumer\/[^:]+)/.exec(String(input.ConsumerARN ?? ''))?.[1]
  if (operation === 'SubscribeToShard' || operation.includes('StreamConsumer'))
    if (consumer !== undefined) return [`kinesis:${operation}`, `kinesis:stream/${consumer}`]
  return [`kinesis:${operation}`, `kinesis:stream/${stream ?? '*'}`]
}

/** Parts are put and lists are read under the rights of other operations. */
function s3Right(operation: string, bucket: string, key: string): Right {
  if (operation.startsWith('List')) return ['s3:ListBucket', `s3:${bucket}`]
  const isPart = operation === 'UploadPart' || /^(Create|Complete)MultipartUpload$/.test(operation)
  return [`s3:${isPart ? 'PutObject' : operation}`, `s3:${bucket}/${key.split('/')[0] ?? ''}/*`]
}

function schedulerRights(operation: string, input: RecordedCall['input']): readonly Right[] {
  // A list could be one of all groups: that is what the right is asked on, as users of the service report.
  const group = operation === 'ListSchedules' ? '*' : String(input.GroupName ?? 'default')
  const { RoleArn } = (input.Target ?? {}) as { RoleArn?: string }
  return [
    [`scheduler:${operation}`, `scheduler:schedule/${group}/*`],
    ...(RoleArn === undefined ? [] : [['iam:PassRole', `iam:${lastOf(RoleArn)}`] as const]),
  ]
}

function lastOf(text: string, separator = ':'): string {
  return text.slice(text.lastIndexOf(separator) + 1)
}
