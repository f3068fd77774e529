import { StreamNotFoundError } from '../errors/stream-errors.ts'
import type { StreamDefinition } from '../model/app.ts'
import type { Logger } from '../observe/logger.ts'
import type { Log, StreamInfo } from '../ports/log.ts'

/**
 * Creates the stream, or brings a stored one's retention in line with its definition. What a start cannot change is
 * told, and stays as it is stored.
 */
export async function ensureStream(log: Log, definition: StreamDefinition, logger: Logger): Promise<void> {
  const { name, shards, retentionMs, durability } = definition
  let stored: StreamInfo
  try {
    stored = await log.describeStream(name)
  } catch (error) {
    if (!(error instanceof StreamNotFoundError)) throw error
    await log.createStream({ name, shardCount: shards, retentionMs, durability })
    return
  }
  if (stored.retentionMs !== retentionMs) await log.setRetention(name, retentionMs)
  if (stored.durability !== durability) {
    logger.warn(
      { stream: name, defined: durability, stored: stored.durability },
      `stream "${name}" is defined with durability "${durability}" but stored with "${stored.durability}", which stays. To change it, append to a new stream.`,
    )
  }
  if (stored.shardCount !== shards) await warnOfShards(log, definition, logger)
}

/** A stream that was split or merged since has other shards than it began with: either count is the right one. */
async function warnOfShards(log: Log, { name, shards }: StreamDefinition, logger: Logger): Promise<void> {
  const listed = await log.listShards(name)
  const open = listed.filter((shard) => shard.endingSequenceNumber === undefined).length
  if (open === shards) return
  const command = open < shards ? 'split' : 'merge'
  logger.warn(
    { stream: name, defined: shards, stored: open },
    `stream "${name}" is defined with ${counted(shards)} but has ${open}, which stay. To change that: eddy streams ${command} ${name} SHARD. To keep it, define it with ${counted(open)}.`,
  )
}

function counted(shards: number): string {
  return shards === 1 ? '1 shard' : `${shards} shards`
}
