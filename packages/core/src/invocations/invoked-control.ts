import { StorageError } from '../errors/engine-errors.ts'
import { InvalidOptionError } from '../errors/request-errors.ts'
import { Ledger, type LedgerEntry } from '../fail/ledger.ts'
import type { ChangeOptions } from '../live-policy/live-policy.ts'
import type { SubscriptionDefinition } from '../model/app.ts'
import type { LedgerItem } from '../model/ledger-item.ts'
import type { PolicyChange } from '../model/policy-state.ts'
import type { SubscriptionStatus } from '../operate/operations.ts'
import { depthOf } from '../operate/queues.ts'
import type { Engine } from '../ports/engine.ts'
import { protectionStatus } from '../protect/protection-status.ts'
import { Stopped } from '../runtime/stop-signal.ts'
import type {
  PolicyControl,
  RequeueRequest,
  RequeueResult,
  SubscriptionControl,
} from '../runtime/subscription-control.ts'
import type { Invocation } from './invocation.ts'
import type { InvokedSubscription } from './invoked-subscription.ts'

/** A caller waits no longer for storage that does not answer. */
const PATIENCE_MS = 20_000

/**
 * What operators may ask of a subscription that functions are invoked for. Everything is read anew: any other process may
 * have changed it.
 */
export class InvokedControl implements SubscriptionControl {
  readonly definition: SubscriptionDefinition
  readonly ledger: Ledger
  readonly policy: PolicyControl
  readonly #subscription: InvokedSubscription
  readonly #engine: Engine

  constructor(subscription: InvokedSubscription, engine: Engine) {
    const { definition } = subscription
    this.definition = definition
    this.#subscription = subscription
    this.#engine = engine
    this.ledger = new Ledger(engine, definition.name, definition.ledgerRetentionMs)
    this.policy = {
      state: async () => {
        await subscription.look(true)
        return await subscription.policy.state()
      },
      change: async (change: PolicyChange, options: ChangeOptions) => {
        await subscription.look(true)
        return await subscription.policy.change(change, options)
      },
    }
  }

  wouldRunOutOfOrder(item: LedgerItem): Promise<boolean> {
    return this.#with(({ requeue }) => requeue.wouldRunOutOfOrder(item))
  }

  requeue(entry: LedgerEntry, request: RequeueRequest): Promise<RequeueResult> {
    return this.#with(({ requeue }) => requeue.requeue(entry, request))
  }

  nudge(item: LedgerItem): Promise<void> {
    return this.#with(({ requeue }) => requeue.nudge(item))
  }

  /** How far a stream's functions are behind, the service alone knows (IteratorAge): no shards, no lag. */
  async status(): Promise<SubscriptionStatus> {
    const { definition, protection, runner, slots, metrics, current } = this.#subscription
    await this.#subscription.look(true)
    await this.ledger.loadCounts(['retrying', 'held', 'dead'])
    const heldKeys = await this.#with(async ({ parts }) => {
      await parts.holds.load()
      return parts.holds.heldCount
    })
    const { name, stream, queue, batch } = definition
    const { isPaused, pausedBy } = this.#subscription
    const depth =
      queue === undefined
        ? undefined
        : {
            name: queue.name,
            state: isPaused ? ('paused' as const) : ('reading' as const),
            buffered: 0,
            ...(await depthOf(this.#engine, queue.name)),
          }
    const protectedBy = protectionStatus(protection, this.#engine.clock, slots.waitingRetries)
    return {
      name,
      stream,
      blocks: current.failure.blocks,
      exhausted: current.failure.exhausted,
      paused: isPaused,
      ...(pausedBy !== undefined && { pausedBy }),
      concurrency: current.concurrency,
      ...(batch !== undefined && {
        batch: { maxEvents: batch.maxEvents, maxWaitMs: batch.maxWaitMs, maxBytes: batch.maxBytes },
      }),
      ...(current.version > 0 && { policyVersion: current.version }),
      inFlight: runner.stats.running,
      ...(protectedBy !== undefined && { protection: protectedBy }),
      retrying: this.ledger.countOf('retrying'),
      held: this.ledger.countOf('held'),
      heldKeys,
      dead: this.ledger.countOf('dead'),
      lagRecords: depth?.messages ?? 0,
      lagMs: depth?.oldestAgeMs ?? 0,
      ...(metrics.copies > 0 && { copies: metrics.copies }),
      ...(metrics.strays > 0 && { strays: metrics.strays }),
      ...(depth !== undefined && { queue: depth }),
      shards: [],
    }
  }

  /** A hold whose event was removed opens once no record of its age can come. */
  async beforePurge(): Promise<void> {}

  /** Counts elsewhere within a few seconds. What a service brings meanwhile it brings again. */
  async pause(by: string): Promise<void> {
    await this.#subscription.look(true)
    await this.#subscription.placement.change({ isPaused: true, pausedBy: by })
    await this.#subscription.look(true)
  }

  async resume(): Promise<void> {
    await this.#subscription.look(true)
    await this.#subscription.placement.change({ isPaused: false })
    await this.#subscription.look(true)
  }

  /** Every process has one, and closes it within a few seconds. */
  async resetBreaker(): Promise<boolean> {
    await this.#subscription.look(true)
    await this.#subscription.placement.breakerReset()
    await this.#subscription.look(true)
    return true
  }

  async seek(): Promise<void> {
    throw new InvalidOptionError(
      'seek',
      'a subscription that workers read. The place of this one is its event source mapping: delete it, and make it anew with another starting position',
      this.definition.name,
    )
  }

  async #with<T>(step: (invocation: Invocation) => Promise<T>): Promise<T> {
    const deadlineMs = this.#engine.clock.monotonicMs() + PATIENCE_MS
    let invocation: Invocation | undefined
    try {
      invocation = await this.#subscription.begin(deadlineMs)
      return await step(invocation)
    } catch (error) {
      if (error instanceof Stopped) throw new StorageError('storage did not answer in time. Try again')
      throw error
    } finally {
      invocation?.end()
    }
  }
}
