import { ON_DEMAND_SHARDS, StreamExistsError, type StreamInfo, StreamNotFoundError } from '@eddy/core'
import type { AwsStructure } from '../aws-service.ts'
import { isOpen } from './find-stream.ts'
import {
  type KinesisContext,
  MAX_CREATING_STREAMS,
  ON_DEMAND_STREAM_LIMIT,
  SHARD_LIMIT,
} from './kinesis-context.ts'
import { limitExceeded, resourceInUse, validation } from './kinesis-errors.ts'
import { type DistributionStrategy, plainNotes, type StreamMode, statusOf } from './stream-notes.ts'
import { checkTags } from './tags.ts'

const DAY_MS = 24 * 3_600_000

export interface CreateStreamInput {
  readonly StreamName: string
  readonly ShardCount?: number
  readonly StreamModeDetails?: { readonly StreamMode: StreamMode }
  readonly Tags?: { readonly [key: string]: string }
  readonly WarmThroughputMiBps?: number
  readonly MaxRecordSizeInKiB?: number
  readonly RecordDistributionStrategy?: DistributionStrategy
}

export async function createStream(context: KinesisContext, input: CreateStreamInput): Promise<AwsStructure> {
  const mode = input.StreamModeDetails?.StreamMode ?? 'PROVISIONED'
  const strategy = input.RecordDistributionStrategy ?? 'USER_PARTITION_KEY'
  const shardCount = shardCountOf(input, mode)
  checkMode(input, mode, strategy)
  const name = input.StreamName
  const tags = input.Tags ?? {}
  checkTags(context, name, tags)
  await requireAbsent(context, name)
  await checkAccount(context, mode, shardCount)
  const maxRecordBytes = (input.MaxRecordSizeInKiB ?? 0) * 1_024
  const change = context.changes.timed({ kind: 'create' })
  const notes = {
    ...plainNotes(undefined),
    mode,
    strategy,
    tags,
    ...(context.limits === undefined && maxRecordBytes > 0 && { maxRecordBytes }),
    change,
  }
  // The notes come first: what a crash leaves without its stream is forgotten, a stream without notes would lose them.
  await context.book.write(name, notes)
  const { streamId } = await createInLog(context, name, shardCount, maxRecordBytes)
  await context.book.write(name, { ...notes, streamId })
  await context.streamsChanged()
  return {}
}

function shardCountOf({ ShardCount }: CreateStreamInput, mode: StreamMode): number {
  // Unverified texts.
  if (mode === 'PROVISIONED') {
    if (ShardCount === undefined)
      throw validation('ShardCount must be specified for a stream in PROVISIONED mode.')
    return ShardCount
  }
  if (ShardCount !== undefined)
    throw validation('ShardCount must not be specified for a stream in ON_DEMAND mode.')
  return ON_DEMAND_SHARDS
}

function checkMode(input: CreateStreamInput, mode: StreamMode, strategy: DistributionStrategy): void {
  // Unverified texts.
  if (strategy === 'AUTO' && mode === 'PROVISIONED')
    throw validation('RecordDistributionStrategy AUTO is only supported for streams in ON_DEMAND mode.')
  if ((input.WarmThroughputMiBps ?? 0) > 0)
    throw validation('WarmThroughputMiBps requires MinimumThroughputBillingCommitment for the account.')
}

async function createInLog(
  { engine, limits, accountId }: KinesisContext,
  name: string,
  shardCount: number,
  maxRecordBytes: number,
): Promise<StreamInfo> {
  try {
    return await engine.log.createStream({
      name,
      shardCount,
      retentionMs: DAY_MS,
      durability: 'fsync',
      ...(limits !== undefined && {
        limits: maxRecordBytes === 0 ? limits : { ...limits, maxRecordBytes },
      }),
    })
  } catch (error) {
    if (error instanceof StreamExistsError) throw exists(name, accountId)
    throw error
  }
}

async function requireAbsent({ engine, accountId }: KinesisContext, name: string): Promise<void> {
  try {
    await engine.log.describeStream(name)
  } catch (error) {
    if (error instanceof StreamNotFoundError) return
    throw error
  }
  throw exists(name, accountId)
}

function exists(name: string, accountId: string): Error {
  return resourceInUse(`Stream ${name} under account ${accountId} already exists.`)
}

async function checkAccount(context: KinesisContext, mode: StreamMode, shardCount: number): Promise<void> {
  if (context.limits === undefined) return await checkShardLimit(context, shardCount)
  const { creating, onDemand } = await countStreams(context)
  // Unverified texts.
  if (creating >= MAX_CREATING_STREAMS)
    throw limitExceeded(
      `Limit of ${MAX_CREATING_STREAMS} streams in the CREATING state reached for account ${context.accountId}.`,
    )
  if (mode === 'ON_DEMAND' && onDemand >= ON_DEMAND_STREAM_LIMIT)
    throw limitExceeded(
      `Limit of ${ON_DEMAND_STREAM_LIMIT} on-demand streams reached for account ${context.accountId}.`,
    )
  await checkShardLimit(context, shardCount)
}

export interface StreamCounts {
  readonly creating: number
  readonly onDemand: number
}

export async function countStreams({ engine, book }: KinesisContext): Promise<StreamCounts> {
  let creating = 0
  let onDemand = 0
  for (const { name, streamId } of await engine.log.listStreams()) {
    const notes = book.of(name, streamId)
    if (statusOf(notes, engine.clock.now()) === 'CREATING') creating += 1
    if (notes.mode === 'ON_DEMAND') onDemand += 1
  }
  return { creating, onDemand }
}

/** Open shards of all streams. */
export async function countOpenShards({ engine }: KinesisContext): Promise<number> {
  let open = 0
  for (const { name } of await engine.log.listStreams())
    open += (await engine.log.listShards(name)).filter(isOpen).length
  return open
}

/**
 * Shards of the account, or without limits of the stream alone: what the engine allows.
 *
 * @throws AwsError LimitExceededException when there would be more than may be
 */
export async function checkShardLimit(
  context: KinesisContext,
  additional: number,
  openOfStream = 0,
): Promise<void> {
  const open = context.limits === undefined ? openOfStream : await countOpenShards(context)
  if (open + additional > SHARD_LIMIT) throw overShardLimit(context, open, additional)
}

function overShardLimit({ accountId, region }: KinesisContext, open: number, additional: number): Error {
  return limitExceeded(
    `This request would exceed the shard limit for the account ${accountId} in ${region}. Current shard count for the ` +
      `account: ${open}. Limit: ${SHARD_LIMIT}. Number of additional shards that would have resulted from this ` +
      `request: ${additional}. Refer to the AWS Service Limits page ` +
      '(http://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html) for current limits and how to request ' +
      'higher limits.',
  )
}
