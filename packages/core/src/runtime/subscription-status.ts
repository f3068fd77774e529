import type { Intake } from '../consume/intake.ts'
import type { ShardRunner } from '../consume/shard-runner.ts'
import type { SubscriptionShardStatus, SubscriptionStatus } from '../operate/operations.ts'
import type { StartPosition } from '../ports/log.ts'
import type { SubscriptionRunner } from './subscription-runner.ts'

/** What an operator sees of a subscription. */
export async function statusOf(subscription: SubscriptionRunner): Promise<SubscriptionStatus> {
  const { definition, ledger, parts, intake, pausedBy } = subscription
  const shards =
    intake === undefined
      ? []
      : await Promise.all(intake.shards.map((shard) => shardStatus(subscription, intake, shard.shardId)))
  return {
    name: definition.name,
    stream: definition.stream,
    blocks: definition.failure.blocks,
    exhausted: definition.failure.exhausted,
    paused: parts.pause.isPaused,
    ...(pausedBy !== undefined && { pausedBy }),
    concurrency: definition.concurrency,
    inFlight: parts.runner.stats.running,
    retrying: ledger.countOf('retrying'),
    held: ledger.countOf('held'),
    heldKeys: parts.holds.heldCount,
    dead: ledger.countOf('dead'),
    lagRecords: shards.reduce((sum, shard) => sum + (shard.lagRecords ?? 0), 0),
    lagMs: Math.max(0, ...shards.map((shard) => shard.lagMs)),
    shards,
  }
}

async function shardStatus(
  subscription: SubscriptionRunner,
  intake: Intake,
  shardId: string,
): Promise<SubscriptionShardStatus> {
  const runner = intake.runnerOf(shardId)
  if (runner === undefined) {
    return {
      shardId,
      state: intake.hasEnded(shardId) ? 'ended' : 'waiting',
      lagMs: 0,
      buffered: 0,
      expiredRecords: 0,
    }
  }
  const { parts, definition } = subscription
  const checkpoint = sequenceOf(runner.checkpointFrom)
  const lagRecords = await parts.engine.log.countRecords?.(definition.stream, shardId, runner.checkpointFrom)
  return {
    shardId,
    state: stateOf(subscription, runner),
    ...(checkpoint !== undefined && { checkpoint }),
    ...(lagRecords !== undefined && { lagRecords }),
    lagMs: runner.lagMs(parts.engine.clock.now()),
    buffered: runner.buffered,
    expiredRecords: runner.expiredRecords,
  }
}

function stateOf(subscription: SubscriptionRunner, runner: ShardRunner): SubscriptionShardStatus['state'] {
  const { state } = runner
  if (state === 'stopped' || state === 'ended') return state
  if (subscription.parts.pause.isPaused) return 'paused'
  return subscription.gate.isBlocked(runner.shard.shardId) ? 'blocked' : state
}

function sequenceOf(from: StartPosition): string | undefined {
  return 'sequenceNumber' in from ? from.sequenceNumber : undefined
}
