import type { SubscriptionParts } from '../runtime/subscription-parts.ts'
import { BatchLanes } from './batch-lanes.ts'
import { BatchPath } from './batch-path.ts'
import { ENOUGH_READY, MAX_STORING } from './intake-limits.ts'
import { Lanes } from './lanes.ts'
import type { LivePath } from './live-path.ts'
import type { TaskLanes } from './task-lanes.ts'
import type { OwnedTask, TaskOwner } from './task-owner.ts'

/**
 * The lanes of a subscription's live path: of single events or of batches, as its handler wants them.
 *
 * @param isBounded - false: any number of tasks may be under way
 */
export function liveLanes<E extends OwnedTask>(
  parts: SubscriptionParts,
  livePath: LivePath,
  owner: TaskOwner<E>,
  isBounded: boolean,
): TaskLanes<E> {
  const { slots, policy, definition, engine, pause } = parts
  const isPaused = (): boolean => pause.isPaused
  const { batch } = definition
  const maxUnderWay = isBounded
    ? (): number => policy.concurrency * (batch?.maxEvents ?? 1) + MAX_STORING
    : (): number => Number.POSITIVE_INFINITY
  if (batch === undefined) {
    const run = (entry: E, giveSlot: () => void): Promise<void> =>
      runOne(parts, livePath, owner, entry, giveSlot)
    return new Lanes<E>(slots, isPaused, run, maxUnderWay)
  }
  const batchPath = new BatchPath(parts, livePath)
  return new BatchLanes<E>({
    limits: batch,
    slots,
    clock: engine.clock,
    isPaused,
    bytesOf: ({ task }) => task.bytes.length,
    run: (lanes, giveSlot) => batchPath.process(lanes, giveSlot, owner),
    maxUnderWay,
  })
}

/**
 * Lanes ready to go on at which taking in more brings nothing: a record that waits in memory for long is what a garbage
 * collector is slow with. Two batches' worth are ready before the next ones are read.
 */
export function enoughReady({ policy, definition: { batch } }: SubscriptionParts): number {
  const { concurrency } = policy
  return ENOUGH_READY + (batch === undefined ? concurrency : Math.min(concurrency, 2) * batch.maxEvents)
}

/** Never rejects. */
async function runOne<E extends OwnedTask>(
  { protection }: SubscriptionParts,
  livePath: LivePath,
  owner: TaskOwner<E>,
  entry: E,
  giveSlot: () => void,
): Promise<void> {
  if (!owner.begin(entry)) return protection.unused('first')
  try {
    await livePath.process(entry.task, giveSlot)
    owner.done(entry)
  } catch (error) {
    owner.failed(entry, error)
  }
}
