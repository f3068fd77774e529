import type { Notice } from '../model/app.ts'
import type { Engine } from '../ports/engine.ts'
import { ShardLag, shardIdsOf } from './shard-lag.ts'
import type { SubscriptionRunner } from './subscription-runner.ts'

const LOOK_EVERY_MS = 30_000
const NEAR = 0.8

/** Tells when a subscription is so far behind that retention will soon remove what it has not read. Once per approach. */
export class RetentionWatch {
  readonly #subscriptions: readonly SubscriptionRunner[]
  readonly #engine: Engine
  readonly #notify: (notice: Notice) => void
  readonly #stopping: AbortSignal
  readonly #told = new Set<string>()

  constructor(
    subscriptions: readonly SubscriptionRunner[],
    engine: Engine,
    notify: (notice: Notice) => void,
    stopping: AbortSignal,
  ) {
    this.#subscriptions = subscriptions
    this.#engine = engine
    this.#notify = notify
    this.#stopping = stopping
  }

  async run(): Promise<void> {
    while (!this.#stopping.aborted) {
      await this.#engine.clock.sleep(LOOK_EVERY_MS, this.#stopping)
      if (!this.#stopping.aborted) await this.#look()
    }
  }

  async #look(): Promise<void> {
    for (const subscription of this.#subscriptions) {
      const { intake } = subscription
      // Every shard of an intake is of one stream. Some shard is read, or is to be, for as long as there is anything to read.
      const retentionMs = intake?.runners[0]?.retentionMs
      if (intake === undefined || retentionMs === undefined) continue
      const lag = ShardLag.of(subscription.parts, intake)
      for (const shardId of shardIdsOf(intake)) {
        // Of several workers each looks at what it reads.
        if (subscription.parts.owner.isShared && intake.runnerOf(shardId) === undefined) continue
        this.#judge(subscription, shardId, await lag.lagMs(shardId), retentionMs)
      }
    }
  }

  #judge(subscription: SubscriptionRunner, shardId: string, behindMs: number, retentionMs: number): void {
    const { name: subscriptionName, stream } = subscription.definition
    const name = `${subscriptionName}/${shardId}`
    if (behindMs < retentionMs * NEAR) {
      this.#told.delete(name)
      return
    }
    if (this.#told.has(name)) return
    this.#told.add(name)
    this.#notify({
      kind: 'retention-near',
      subscription: subscriptionName,
      stream,
      shardId,
      behindMs,
      retentionMs,
      atMs: this.#engine.clock.now(),
    })
  }
}
