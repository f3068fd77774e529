import type { ReadPosition } from '../aggregate/read-position.ts'
import type { Intake } from '../consume/intake.ts'
import type { ShardRunner } from '../consume/shard-runner.ts'
import type { BatchDefinition } from '../model/batch.ts'
import type {
  SubscriptionQueueStatus,
  SubscriptionShardStatus,
  SubscriptionStatus,
} from '../operate/operations.ts'
import { depthOf } from '../operate/queues.ts'
import { protectionStatus } from '../protect/protection-status.ts'
import { ShardLag } from './shard-lag.ts'
import type { SubscriptionRunner } from './subscription-runner.ts'

/** What an operator sees of a subscription. */
export async function statusOf(subscription: SubscriptionRunner): Promise<SubscriptionStatus> {
  const { definition, ledger, parts, intake, pausedBy } = subscription
  const depth = await queueStatus(subscription)
  const shards =
    intake === undefined
      ? []
      : await Promise.all(intake.shards.map((shard) => shardStatus(subscription, intake, shard.shardId)))
  const protection = protectionStatus(parts.protection, parts.engine.clock, parts.slots.waitingRetries)
  return {
    name: definition.name,
    stream: definition.stream,
    blocks: parts.policy.failure.blocks,
    exhausted: parts.policy.failure.exhausted,
    paused: parts.pause.isPaused,
    ...(pausedBy !== undefined && { pausedBy }),
    concurrency: parts.policy.concurrency,
    ...(definition.batch !== undefined && { batch: limitsOf(definition.batch) }),
    ...(parts.policy.version > 0 && { policyVersion: parts.policy.version }),
    inFlight: parts.runner.stats.running,
    ...(protection !== undefined && { protection }),
    retrying: ledger.countOf('retrying'),
    held: ledger.countOf('held'),
    heldKeys: parts.holds.heldCount,
    dead: ledger.countOf('dead'),
    lagRecords:
      depth !== undefined ? depth.messages : shards.reduce((sum, shard) => sum + (shard.lagRecords ?? 0), 0),
    lagMs: Math.max(depth?.oldestAgeMs ?? 0, ...shards.map((shard) => shard.lagMs)),
    ...(parts.metrics.copies > 0 && { copies: parts.metrics.copies }),
    ...(parts.metrics.strays > 0 && { strays: parts.metrics.strays }),
    ...(depth !== undefined && { queue: depth }),
    shards,
  }
}

/** Undefined for a subscription of a stream. */
async function queueStatus({
  definition,
  parts,
  queueIntake,
}: SubscriptionRunner): Promise<SubscriptionQueueStatus | undefined> {
  if (definition.queue === undefined) return undefined
  const { name } = definition.queue
  const state = queueIntake?.state ?? 'recovering'
  return {
    name,
    state: state !== 'stopped' && parts.pause.isPaused ? 'paused' : state,
    buffered: queueIntake?.buffered ?? 0,
    ...(await depthOf(parts.engine, name)),
  }
}

function limitsOf({
  maxEvents,
  maxWaitMs,
  maxBytes,
}: BatchDefinition): NonNullable<SubscriptionStatus['batch']> {
  return { maxEvents, maxWaitMs, maxBytes }
}

async function shardStatus(
  subscription: SubscriptionRunner,
  intake: Intake,
  shardId: string,
): Promise<SubscriptionShardStatus> {
  const lag = ShardLag.of(subscription.parts, intake)
  const [lagMs, lagRecords] = await Promise.all([lag.lagMs(shardId), lag.lagRecords(shardId)])
  const runner = intake.runnerOf(shardId)
  const checkpoint = runner === undefined ? undefined : sequenceOf(runner.checkpointFrom)
  return {
    shardId,
    state: stateOf(subscription, intake, shardId, runner),
    ...(checkpoint !== undefined && { checkpoint }),
    ...(lagRecords !== undefined && { lagRecords }),
    lagMs,
    buffered: runner?.buffered ?? 0,
    expiredRecords: runner?.expiredRecords ?? 0,
  }
}

function stateOf(
  subscription: SubscriptionRunner,
  intake: Intake,
  shardId: string,
  runner: ShardRunner | undefined,
): SubscriptionShardStatus['state'] {
  if (runner === undefined) return intake.hasEnded(shardId) ? 'ended' : 'waiting'
  const { state } = runner
  if (state === 'stopped' || state === 'ended') return state
  if (subscription.parts.pause.isPaused) return 'paused'
  return subscription.gate.isBlocked(shardId) ? 'blocked' : state
}

function sequenceOf(from: ReadPosition): string | undefined {
  return 'sequenceNumber' in from ? from.sequenceNumber : undefined
}
