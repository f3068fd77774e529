import type { ReadPosition } from '../aggregate/read-position.ts'
import type { Intake } from '../consume/intake.ts'
import type { ShardRunner } from '../consume/shard-runner.ts'
import { places } from '../lease/places.ts'
import type { BatchDefinition } from '../model/batch.ts'
import type { SubscriptionQueueStatus, SubscriptionStatus } from '../operate/operations.ts'
import { depthOf } from '../operate/queues.ts'
import type { SubscriptionShardStatus } from '../operate/subscription-shapes.ts'
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
  const place = places.queue(definition.name)
  const isElsewhere = queueIntake === undefined && parts.owner.isElsewhere(place)
  const state = queueIntake?.state ?? (isElsewhere ? 'elsewhere' : 'recovering')
  const owner = parts.owner.nameOf(place)
  return {
    name,
    state: state !== 'stopped' && parts.pause.isPaused ? 'paused' : state,
    ...(owner !== undefined && { owner }),
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
  const { parts } = subscription
  if (parts.owner.isShared && intake.runnerOf(shardId) === undefined)
    return await statusElsewhere(subscription, intake, shardId)
  const lag = ShardLag.of(parts, intake)
  const [lagMs, lagRecords] = await Promise.all([lag.lagMs(shardId), lag.lagRecords(shardId)])
  const runner = intake.runnerOf(shardId)
  const checkpoint = runner === undefined ? undefined : sequenceOf(runner.checkpointFrom)
  const owner = parts.owner.nameOf(places.shard(parts.definition.stream, shardId))
  return {
    shardId,
    state: stateOf(subscription, intake, shardId, runner),
    ...(owner !== undefined && { owner }),
    ...(checkpoint !== undefined && { checkpoint }),
    ...(lagRecords !== undefined && { lagRecords }),
    lagMs,
    buffered: runner?.buffered ?? 0,
    expiredRecords: runner?.expiredRecords ?? 0,
  }
}

/** By what its reader has stored. Its records are not looked at: several workers would take turns at that all day. */
async function statusElsewhere(
  { parts }: SubscriptionRunner,
  intake: Intake,
  shardId: string,
): Promise<SubscriptionShardStatus> {
  const place = places.shard(parts.definition.stream, shardId)
  const stored = await intake.storedIn(shardId)
  const checkpoint = stored === undefined ? undefined : sequenceOf(stored.from)
  const owner = parts.owner.nameOf(place)
  const isElsewhere = parts.owner.isElsewhere(place)
  return {
    shardId,
    state: stored?.ended === true ? 'ended' : isElsewhere ? 'elsewhere' : 'waiting',
    ...(owner !== undefined && { owner }),
    ...(checkpoint !== undefined && { checkpoint }),
    lagMs: ShardLag.of(parts, intake).storedMs(stored),
    buffered: 0,
    expiredRecords: stored?.expiredRecords ?? 0,
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
