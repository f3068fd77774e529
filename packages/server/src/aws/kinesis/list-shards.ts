import { AwsError } from '../aws-error.ts'
import type { AwsStructure } from '../aws-service.ts'
import { type FoundStream, findStream, type StreamRef } from './find-stream.ts'
import type { KinesisContext } from './kinesis-context.ts'
import { invalidArgument, streamNotActive, streamNotFound } from './kinesis-errors.ts'
import { takeListShards } from './request-rates.ts'
import { filterShards, type ShardFilter } from './shard-filter.ts'
import { fullShardId, shardOutput } from './shard-ids.ts'

const MAX_SHARDS_A_PAGE = 1_000
const TOKEN_LIFETIME_MS = 300_000
const KIND = 'list-shards'

export interface ListShardsInput extends StreamRef {
  readonly NextToken?: string
  readonly ExclusiveStartShardId?: string
  readonly MaxResults?: number
  readonly StreamCreationTimestamp?: Date
  readonly ShardFilter?: ShardFilter
}

/** What a token goes on with. */
interface Continued {
  readonly name: string
  readonly streamId: string
  readonly after: string
  readonly filter?: { readonly type: ShardFilter['Type']; readonly shardId?: string; readonly atMs?: number }
  readonly issuedAtMs: number
}

interface Asked {
  readonly stream: FoundStream
  readonly after: string
  readonly filter: ShardFilter | undefined
}

export async function listShards(context: KinesisContext, input: ListShardsInput): Promise<AwsStructure> {
  const { engine, tokens, accountId } = context
  const { stream, after, filter } =
    input.NextToken === undefined
      ? await asked(context, input)
      : await continued(context, input, input.NextToken)
  takeListShards(context, stream.name)
  if (stream.status === 'CREATING') throw streamNotActive(stream.name, accountId, stream.status)
  const nowMs = engine.clock.now()
  const listed = await engine.log.listShards(stream.name)
  const rest = filterShards(listed, filter, stream, nowMs).filter(({ shardId }) => shardId > after)
  const page = rest.slice(0, Math.min(input.MaxResults ?? MAX_SHARDS_A_PAGE, MAX_SHARDS_A_PAGE))
  const last = page.at(-1)
  if (rest.length === page.length || last === undefined) return { Shards: page.map(shardOutput) }
  const token: Continued = {
    name: stream.name,
    streamId: stream.info.streamId,
    after: last.shardId,
    ...(filter !== undefined && { filter: storedFilter(filter) }),
    issuedAtMs: nowMs,
  }
  return { Shards: page.map(shardOutput), NextToken: tokens.seal(KIND, token) }
}

async function asked(context: KinesisContext, input: ListShardsInput): Promise<Asked> {
  if (input.StreamName === undefined && input.StreamARN === undefined)
    throw invalidArgument('Either NextToken or StreamName should be provided.')
  const stream = await findStream(context, input)
  const { StreamCreationTimestamp: createdAt, ExclusiveStartShardId: after } = input
  // Clients may have it from DescribeStream in seconds.
  if (
    createdAt !== undefined &&
    Math.floor(createdAt.getTime() / 1_000) !== Math.floor(stream.info.createdAtMs / 1_000)
  )
    throw streamNotFound(stream.name, context.accountId)
  return {
    stream,
    after: after === undefined ? '' : (fullShardId(after) ?? after),
    filter: input.ShardFilter,
  }
}

async function continued(context: KinesisContext, input: ListShardsInput, nextToken: string): Promise<Asked> {
  if (
    input.StreamName !== undefined ||
    input.StreamARN !== undefined ||
    input.StreamCreationTimestamp !== undefined
  )
    throw invalidArgument('NextToken and StreamName cannot be provided together.')
  const token = context.tokens.open(KIND, nextToken) as Continued | undefined
  if (token === undefined) throw invalidArgument('NextToken is invalid.')
  if (context.engine.clock.now() - token.issuedAtMs > TOKEN_LIFETIME_MS)
    // Unverified text.
    throw new AwsError('ExpiredNextTokenException', 'NextToken has expired: it can be used for 300 seconds.')
  const stream = await findStream(context, { StreamName: token.name })
  if (stream.info.streamId !== token.streamId) throw streamNotFound(token.name, context.accountId)
  return { stream, after: token.after, filter: token.filter && givenFilter(token.filter) }
}

function storedFilter({ Type, ShardId, Timestamp }: ShardFilter): NonNullable<Continued['filter']> {
  return {
    type: Type,
    ...(ShardId !== undefined && { shardId: ShardId }),
    ...(Timestamp !== undefined && { atMs: Timestamp.getTime() }),
  }
}

function givenFilter({ type, shardId, atMs }: NonNullable<Continued['filter']>): ShardFilter {
  return {
    Type: type,
    ...(shardId !== undefined && { ShardId: shardId }),
    ...(atMs !== undefined && { Timestamp: new Date(atMs) }),
  }
}
