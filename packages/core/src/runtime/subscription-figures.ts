import { oldestWaitMs } from '../fail/oldest-wait.ts'
import type { Sweeper } from '../fail/sweeper.ts'
import type { SubscriptionMetrics } from '../observe/subscription-metrics.ts'
import { ShardLag, shardIdsOf } from './shard-lag.ts'
import type { SubscriptionRunner } from './subscription-runner.ts'

/** What one process has to tell of a subscription: of several the counts are summed, of everything else the largest counts. */
export interface SubscriptionFigures {
  readonly subscription: string
  /** Counters of this process since it began. */
  readonly metrics: SubscriptionMetrics
  /**
   * Age of the oldest event that the live path is not done with, in the shards that this process reads, and from the one
   * that sweeps in all. Absent: of a subscription of a queue, and where nothing is read.
   */
  readonly lagMs?: number
  /** Of the ledger, from the one process that sweeps for all and only while it does, or while the subscription is paused. */
  readonly waiting?: WaitingFigures
}

export interface WaitingFigures {
  /** Keys, or shards, whose events wait; absent until the sweep has been through all of them. */
  readonly heldKeys?: number
  /** How long the event has waited that waits longest for something other than a person; 0: none does. */
  readonly oldestWaitMs: number
}

/** A sweep is over within this, even when much is sent again: else it does not come forward, and is not told of. */
const SWEEPS_WITHIN_MS = 60_000

/** Counters alone once the subscription is stopped, and when what is stored cannot be read. */
export async function figuresOf(
  subscription: SubscriptionRunner,
  sweeper: Sweeper | undefined,
): Promise<SubscriptionFigures> {
  const { definition, parts } = subscription
  const counted = { subscription: definition.name, metrics: parts.metrics }
  if (sweeper === undefined || parts.stopping.aborted) return counted
  try {
    const lagMs = await lagOf(subscription)
    const waiting = await waitingOf(subscription, sweeper)
    return { ...counted, ...(lagMs !== undefined && { lagMs }), ...(waiting !== undefined && { waiting }) }
  } catch (error) {
    const about = { subscription: definition.name, reason: String(error) }
    parts.logger.warn(about, 'what waits was not looked at and is in the next minute')
    return counted
  }
}

async function lagOf({ intake, parts }: SubscriptionRunner): Promise<number | undefined> {
  if (intake === undefined) return undefined
  const lag = ShardLag.of(parts, intake)
  const { isShared } = parts.owner
  const isForAll = parts.owner.leads('sweeper')
  const shardIds = [...shardIdsOf(intake)].filter(
    (shardId) => isForAll || intake.runnerOf(shardId) !== undefined,
  )
  if (shardIds.length === 0) return undefined
  const lags = shardIds.map(async (shardId) =>
    isShared && intake.runnerOf(shardId) === undefined
      ? lag.storedMs(await intake.storedIn(shardId))
      : await lag.lagMs(shardId),
  )
  return Math.max(...(await Promise.all(lags)))
}

async function waitingOf(
  { parts }: SubscriptionRunner,
  { heldLanes, sweptAtMs }: Sweeper,
): Promise<WaitingFigures | undefined> {
  const { owner, pause, engine } = parts
  if (!owner.leads('sweeper')) return undefined
  const isSweeping = sweptAtMs !== undefined && engine.clock.monotonicMs() - sweptAtMs < SWEEPS_WITHIN_MS
  if (!isSweeping && !pause.isPaused) return undefined
  const waitedMs = await oldestWaitMs(parts.ledger, engine.clock)
  return { ...(heldLanes !== undefined && { heldKeys: heldLanes }), oldestWaitMs: waitedMs }
}
