import type { Notice } from '../model/app.ts'
import type { Engine } from '../ports/engine.ts'
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
      if (!this.#stopping.aborted) this.#look()
    }
  }

  #look(): void {
    const nowMs = this.#engine.clock.now()
    for (const subscription of this.#subscriptions) {
      for (const runner of subscription.intake?.runners ?? []) {
        const behindMs = runner.lagMs(nowMs)
        const name = `${subscription.definition.name}/${runner.shard.shardId}`
        if (behindMs < runner.retentionMs * NEAR) {
          this.#told.delete(name)
          continue
        }
        if (this.#told.has(name)) continue
        this.#told.add(name)
        this.#notify({
          kind: 'retention-near',
          subscription: subscription.definition.name,
          stream: subscription.definition.stream,
          shardId: runner.shard.shardId,
          behindMs,
          retentionMs: runner.retentionMs,
          atMs: nowMs,
        })
      }
    }
  }
}
