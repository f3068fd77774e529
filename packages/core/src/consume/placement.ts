import type { From } from '../model/app.ts'
import type { Log, ShardInfo, StartPosition, StreamInfo } from '../ports/log.ts'
import type { SeekTarget } from '../runtime/subscription-control.ts'
import type { Checkpoint } from './checkpoint.ts'
import { encodeRuns } from './resolved-runs.ts'

/** Where in one shard a subscription begins; `ended`: nothing in it is wanted. */
export interface Place {
  readonly from: StartPosition
  readonly ended: boolean
}

export function targetOf(from: From): SeekTarget {
  if (from === 'trim_horizon' || from === 'latest') return { at: from }
  return { at: 'at_timestamp', timestampMs: from.timestampMs }
}

/**
 * Turns a wish into a place that stays where it is: `latest` and timestamps become sequence numbers, so that a restart
 * before the first checkpoint loses nothing.
 */
export async function placeIn(
  log: Log,
  stream: StreamInfo,
  shard: ShardInfo,
  target: SeekTarget,
): Promise<Place> {
  switch (target.at) {
    case 'trim_horizon':
      return { from: { at: 'trim_horizon' }, ended: false }
    case 'at_sequence_number':
      return { from: { at: 'at_sequence_number', sequenceNumber: target.sequenceNumber }, ended: false }
    case 'latest':
      // A closed shard has nothing that is newer than now.
      if (shard.endingSequenceNumber !== undefined) return { from: { at: 'trim_horizon' }, ended: true }
      return (
        (await endWithoutRead(log, stream, shard)) ?? (await firstAt(log, stream, shard, { at: 'latest' }))
      )
    case 'at_timestamp':
      return await firstAt(log, stream, shard, { at: 'at_timestamp', timestampMs: target.timestampMs })
  }
}

/** Where reads are counted, finding the end must not cost one a subscription. */
async function endWithoutRead(log: Log, stream: StreamInfo, shard: ShardInfo): Promise<Place | undefined> {
  if (stream.limits === undefined || log.nextSequenceNumber === undefined) return undefined
  const sequenceNumber = await log.nextSequenceNumber(stream.name, shard.shardId)
  return { from: { at: 'at_sequence_number', sequenceNumber }, ended: false }
}

async function firstAt(log: Log, stream: StreamInfo, shard: ShardInfo, from: StartPosition): Promise<Place> {
  const result = await log.read({
    stream: stream.name,
    shardId: shard.shardId,
    from,
    maxRecords: 1,
    maxBytes: 1,
    waitMs: 0,
  })
  const first = result.records[0]
  if (first !== undefined)
    return { from: { at: 'at_sequence_number', sequenceNumber: first.sequenceNumber }, ended: false }
  if (result.next === undefined) return { from: { at: 'trim_horizon' }, ended: true }
  return { from: result.next, ended: false }
}

export function checkpointAt(
  place: Place,
  stream: StreamInfo,
  pass: number,
  epoch: number,
  nowMs: number,
): Checkpoint {
  return {
    streamId: stream.streamId,
    pass,
    from: place.from,
    runs: encodeRuns([]),
    upTo: 0,
    ended: place.ended,
    expiredRecords: 0,
    epoch,
    savedAtMs: nowMs,
  }
}
