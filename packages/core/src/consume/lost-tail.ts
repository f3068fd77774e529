import type { ReadPosition } from '../aggregate/read-position.ts'
import { compareSequence } from '../model/position.ts'
import type { Log, ShardInfo, StartPosition, StreamInfo } from '../ports/log.ts'
import type { StoredCheckpoint } from './checkpoint.ts'
import { checkpointAt } from './placement.ts'

/**
 * A checkpoint that is ahead of its shard's end: the log lost its tail, or the two come from different backups. New
 * records would get numbers that the checkpoint takes for handled, and be skipped without a word (I2, I9).
 *
 * @returns a checkpoint at the end of the shard in a new pass, or undefined when the stored one is within the log, or
 * the engine does not tell where the shard ends
 */
export async function afterLostTail(
  log: Log,
  stream: StreamInfo,
  shard: ShardInfo,
  stored: StoredCheckpoint,
  nowMs: number,
): Promise<StoredCheckpoint | undefined> {
  const { checkpoint } = stored
  const end = await endOf(log, stream, shard)
  if (end === undefined || !isAhead(checkpoint.from, end)) return undefined
  // A new pass: positions of the lost records must not stand in the way of new ones under the same numbers.
  const place = { from: end, ended: false }
  return {
    version: stored.version,
    checkpoint: {
      ...checkpointAt(place, stream, checkpoint.pass + 1, checkpoint.epoch, nowMs),
      expiredRecords: checkpoint.expiredRecords,
    },
  }
}

async function endOf(log: Log, stream: StreamInfo, shard: ShardInfo): Promise<StartPosition | undefined> {
  // Where reads are counted, this look at each start must not cost one a subscription. A service that counts them and
  // does not know its end otherwise is one that does not lose it.
  if (stream.limits !== undefined) {
    if (log.nextSequenceNumber === undefined) return undefined
    const sequenceNumber = await log.nextSequenceNumber(stream.name, shard.shardId)
    return { at: 'at_sequence_number', sequenceNumber }
  }
  const { next } = await log.read({
    stream: stream.name,
    shardId: shard.shardId,
    from: { at: 'latest' },
    maxRecords: 1,
    maxBytes: 1,
    waitMs: 0,
  })
  return next
}

/** True when the checkpoint has seen a record that lies at or after the shard's end. */
function isAhead(checkpoint: ReadPosition, end: StartPosition): boolean {
  if (!('sequenceNumber' in checkpoint) || !('sequenceNumber' in end)) return false
  const order = compareSequence(checkpoint.sequenceNumber, end.sequenceNumber)
  // An end `at` N: N is the next record to come. An end `after` N: N is the last one there is.
  if (checkpoint.at !== 'at_sequence_number') return end.at === 'at_sequence_number' ? order >= 0 : order > 0
  // A checkpoint `at` N has seen N, unless N is the one to come: that cannot be told from an end `after` N - 1.
  return end.at === 'at_sequence_number' && order > 0
}
