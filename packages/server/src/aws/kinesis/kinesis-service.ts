import { type Engine, type Logger, type ServiceLimits, silentLogger, TokenBuckets } from '@eddy/core'
import type { AwsOperation, AwsService, AwsStructure } from '../aws-service.ts'
import { kinesisModel } from '../model/kinesis-model.ts'
import { createStream } from './create-stream.ts'
import { deleteStream } from './delete-stream.ts'
import { describeLimits } from './describe-limits.ts'
import { describeStream, describeStreamSummary } from './describe-stream.ts'
import { getRecords } from './get-records.ts'
import { getShardIterator } from './get-shard-iterator.ts'
import type { KinesisContext } from './kinesis-context.ts'
import { listShards } from './list-shards.ts'
import { listStreams } from './list-streams.ts'
import { OpaqueTokens } from './opaque-tokens.ts'
import { putRecord } from './put-record.ts'
import { putRecords } from './put-records.ts'
import { rawGetRecords } from './raw/raw-get-records.ts'
import { rawPutRecords } from './raw/raw-put-records.ts'
import { ReadTurns } from './read-turns.ts'
import { takeRequest } from './request-rates.ts'
import { mergeShards, splitShard } from './reshard.ts'
import { decreaseRetention, increaseRetention } from './retention-period.ts'
import { StreamBook } from './stream-book.ts'
import { StreamChanges } from './stream-changes.ts'
import {
  addTagsToStream,
  listTagsForResource,
  listTagsForStream,
  removeTagsFromStream,
  tagResource,
  untagResource,
} from './tags.ts'
import { updateShardCount } from './update-shard-count.ts'
import { updateMaxRecordSize, updateStrategy, updateStreamMode } from './update-stream.ts'

export interface KinesisServiceOptions {
  readonly engine: Pick<Engine, 'log' | 'table' | 'clock' | 'md5Hex'>
  readonly region: string
  /** 12 digits. */
  readonly accountId: string
  /** Of streams created here; with them come the limits of the account. Undefined: only the engine's own. */
  readonly limits?: ServiceLimits
  /** How long a stream is CREATING, UPDATING or DELETING; default 500, 0: not at all. */
  readonly stateMs?: number
  /** Names of the running application's subscriptions of a stream, which is then not deleted. */
  readonly readersOf?: (stream: string) => Promise<readonly string[]>
  /** Called after streams were made, deleted, split or merged: subscriptions look for new shards. */
  readonly streamsChanged?: () => Promise<void>
  readonly logger?: Logger
}

export interface KinesisService extends AwsService {
  /** Ends what goes on in the background; streams that are being changed are so again after the next start. */
  close(): Promise<void>
}

const DEFAULT_STATE_MS = 500

/** Kinesis Data Streams over the ports of an engine. Goes on with the changes that the last process left. */
export async function kinesisService(options: KinesisServiceOptions): Promise<KinesisService> {
  const context = await makeContext(options)
  await context.changes.resume()
  return {
    model: kinesisModel,
    operations: operationsOf(context),
    rawOperations: new Map([
      ['PutRecords', rawPutRecords(context)],
      ['GetRecords', rawGetRecords(context)],
    ]),
    close: () => context.changes.close(),
  }
}

async function makeContext(options: KinesisServiceOptions): Promise<KinesisContext> {
  const { engine, region, accountId, logger = silentLogger, stateMs = DEFAULT_STATE_MS } = options
  const { log, clock } = engine
  const streamsChanged = options.streamsChanged ?? (async () => {})
  const book = new StreamBook(engine.table)
  await book.load()
  return {
    engine,
    region,
    accountId,
    book,
    changes: new StreamChanges({ log, clock, book, logger, streamsChanged, stateMs }),
    tokens: await OpaqueTokens.open(engine.table),
    readTurns: new ReadTurns(),
    buckets: new TokenBuckets(),
    logger,
    limits: options.limits,
    readersOf: options.readersOf ?? (async () => []),
    streamsChanged,
  }
}

type Handler<I> = (context: KinesisContext, input: I) => Promise<AwsStructure>

function operationsOf(context: KinesisContext): ReadonlyMap<string, AwsOperation> {
  const operations = new Map<string, AwsOperation>()
  // The model's check has made sure of the members that each one takes.
  const add = <I>(name: string, call: Handler<I>): void => {
    operations.set(name, async (input) => {
      takeRequest(context, name)
      return await call(context, input as I)
    })
  }
  const queue = turns()
  /** What reads, checks and writes the state of streams: one after another. */
  const change = <I>(name: string, call: Handler<I>): void =>
    add(name, (_, input: I) => queue(() => call(context, input)))

  add('PutRecord', putRecord)
  add('PutRecords', putRecords)
  add('GetShardIterator', getShardIterator)
  add('GetRecords', getRecords)
  add('DescribeStream', describeStream)
  add('DescribeStreamSummary', describeStreamSummary)
  add('DescribeLimits', describeLimits)
  add('ListStreams', listStreams)
  add('ListShards', listShards)
  add('ListTagsForStream', listTagsForStream)
  add('ListTagsForResource', listTagsForResource)
  change('CreateStream', createStream)
  change('DeleteStream', deleteStream)
  change('SplitShard', splitShard)
  change('MergeShards', mergeShards)
  change('UpdateShardCount', updateShardCount)
  change('UpdateStreamMode', updateStreamMode)
  change('UpdateStreamRecordDistributionStrategy', updateStrategy)
  change('UpdateMaxRecordSize', updateMaxRecordSize)
  change('IncreaseStreamRetentionPeriod', increaseRetention)
  change('DecreaseStreamRetentionPeriod', decreaseRetention)
  change('AddTagsToStream', addTagsToStream)
  change('RemoveTagsFromStream', removeTagsFromStream)
  change('TagResource', tagResource)
  change('UntagResource', untagResource)
  return operations
}

/** Runs calls one after another, in the order in which they are made. */
function turns(): <T>(call: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (call) => {
    const result = last.then(call)
    last = result.catch(() => {})
    return result
  }
}
