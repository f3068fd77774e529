import { ListShardsCommand, type Shard } from '@aws-sdk/client-kinesis'
import type { ShardInfo } from '@eddy/core'
import { KinesisRefusedError } from './kinesis-errors.ts'
import type { KinesisParts } from './kinesis-producer-log.ts'
import { shardInfos } from './shard-infos.ts'
import { streamErrorOf } from './stream-summaries.ts'

/** A stream has at most 10,000 open shards; with those that still hold records, more than this is no stream (I6). */
const MAX_PAGES = 100
const SHARDS_A_PAGE = 1_000

/** Every shard that Kinesis lists, parents before children. @throws StreamNotFoundError, and what `kinesisErrorOf` makes */
export async function listShards(
  { calls, nameOf }: Pick<KinesisParts, 'calls' | 'nameOf'>,
  stream: string,
): Promise<readonly ShardInfo[]> {
  const what = `ListShards on stream "${stream}"`
  const shards: Shard[] = []
  let token: string | undefined
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const from = token === undefined ? { StreamName: nameOf(stream) } : { NextToken: token }
    const command = new ListShardsCommand({ ...from, MaxResults: SHARDS_A_PAGE })
    try {
      const answer = await calls.send((client, abortSignal) => client.send(command, { abortSignal }))
      shards.push(...(answer.Shards ?? []))
      token = answer.NextToken
    } catch (error) {
      throw streamErrorOf(error, stream, what)
    }
    if (token === undefined) return shardInfos(shards)
  }
  throw new KinesisRefusedError(what, `more than ${MAX_PAGES * SHARDS_A_PAGE} shards`)
}
