import { ShardNotFoundError, type SubscriptionShardStatus, type SubscriptionStatus } from '@eddy/core'
import type { SeekTarget } from '../../client/http-client.ts'
import { plural } from '../format/quantity.ts'

/** What a seek would do, as far as a subscription's lag tells. */
export interface SeekPlan {
  /** Of the stream: every shard, or one. */
  readonly where: string
  /** Records behind the checkpoints now; null where the engine cannot count them. */
  readonly unhandledRecords: number | null
  /** What is skipped and what is handled again, a phrase each. */
  readonly effects: readonly string[]
}

/** @throws ShardNotFoundError the subscription reads no such shard */
export function seekPlan(
  { stream, shards }: SubscriptionStatus,
  to: SeekTarget,
  shardId: string | undefined,
): SeekPlan {
  const chosen = shardId === undefined ? shards : shards.filter((shard) => shard.shardId === shardId)
  if (shardId !== undefined && chosen.length === 0) throw new ShardNotFoundError(stream, shardId)
  const unhandledRecords = unhandledOf(chosen)
  return {
    where: `${shardId === undefined ? 'every shard' : shardId} of stream "${stream}"`,
    unhandledRecords,
    effects: effectsOf(to, chosen[0]?.checkpoint, unhandledRecords),
  }
}

function effectsOf(
  to: SeekTarget,
  checkpoint: string | undefined,
  unhandledRecords: number | null,
): readonly string[] {
  const known = unhandledRecords === null ? 'all records' : plural(unhandledRecords, 'record')
  const unhandled = `${known} that ${unhandledRecords === 1 ? 'was' : 'were'} not handled yet`
  const again = 'records from there on that were handled already will be handled again'
  switch (to.at) {
    case 'latest':
      return unhandledRecords === 0
        ? ['to latest: nothing is skipped, there is no record that was not handled yet']
        : [`to latest: ${unhandled} will never be`]
    case 'trim_horizon':
      return ['to trim_horizon: every record still kept that was handled already will be handled again']
    case 'at_timestamp': {
      const start = `to ${new Date(to.timestampMs).toISOString()}: ${again}`
      if (unhandledRecords === 0) return [start]
      return [start, `of ${unhandled}, those that arrived before will never be`]
    }
    case 'at_sequence_number': {
      const { sequenceNumber } = to
      if (checkpoint === undefined || BigInt(sequenceNumber) <= BigInt(checkpoint)) {
        return [`to ${sequenceNumber}: ${again}`]
      }
      const skipped = `of ${unhandled}, those before it will never be (the checkpoint is ${checkpoint})`
      return [`to ${sequenceNumber}: ${skipped}`]
    }
  }
}

function unhandledOf(shards: readonly SubscriptionShardStatus[]): number | null {
  let sum = 0
  for (const { lagRecords, lagMs, buffered } of shards) {
    if (lagRecords !== undefined) sum += lagRecords
    else if (lagMs > 0 || buffered > 0) return null
  }
  return sum
}
