import { Stopped } from '../runtime/stop-signal.ts'
import type { SubscriptionParts } from '../runtime/subscription-parts.ts'
import { shardLaneName } from './lane.ts'
import type { DrainEnd, LaneDrain } from './lane-drain.ts'

/** While a person decides, look this often, in case their word was lost on the way. */
const LOOK_EVERY_MS = 1_000
const SOON_MS = 50
/** Longer waits are cut into pieces: a due time is wall time, and wall time may be set while somebody sleeps. */
const MAX_SLEEP_MS = 30_000

/** Retries a held shard's event in place: with `blocks: 'shard'` the shard's reader itself is what waits. */
export class ShardGate {
  readonly #parts: SubscriptionParts
  readonly #drain: LaneDrain
  readonly #wakers = new Map<string, AbortController>()
  /** The key that a shard waits for, where an earlier policy held it. */
  readonly #keys = new Map<string, string>()

  constructor(parts: SubscriptionParts, drain: LaneDrain) {
    this.#parts = parts
    this.#drain = drain
    parts.holds.onOpened((name) => {
      for (const [shardId, key] of this.#keys) if (key === name) this.wake(shardId)
    })
  }

  isBlocked(shardId: string): boolean {
    return this.#wakers.has(shardId)
  }

  /**
   * @param deadlineMs - on the monotonic clock: no handler is begun that could run beyond it (rule 9)
   * @throws Stopped when the subscription, or `stop`, stops first
   */
  async waitUntilFree(
    shardId: string,
    stop: AbortSignal,
    deadlineMs: number = Number.POSITIVE_INFINITY,
  ): Promise<void> {
    const { engine } = this.#parts
    const stopping = AbortSignal.any([this.#parts.stopping, stop])
    const name = shardLaneName(shardId)
    try {
      for (;;) {
        const waker = new AbortController()
        this.#wakers.set(shardId, waker)
        if (stopping.aborted) throw new Stopped()
        const end = await this.#drain.drain(name, deadlineMs)
        if (end.kind === 'released') return
        if (end.kind === 'given-back' || end.kind === 'no-time') throw new Stopped()
        await engine.clock.sleep(this.#pauseMs(end), AbortSignal.any([stopping, waker.signal]))
      }
    } finally {
      this.#wakers.delete(shardId)
    }
  }

  /** Waits for what an earlier policy left in a key; its own token sees to that. @throws Stopped */
  async waitForKey(shardId: string, name: string, stop: AbortSignal): Promise<void> {
    const { engine, holds, owner } = this.#parts
    const stopping = AbortSignal.any([this.#parts.stopping, stop])
    try {
      for (;;) {
        const waker = new AbortController()
        this.#wakers.set(shardId, waker)
        this.#keys.set(shardId, name)
        if (stopping.aborted) throw new Stopped()
        if ((await holds.find(name, { fresh: owner.isShared }))?.hold.state !== 'held') return
        await engine.clock.sleep(LOOK_EVERY_MS, AbortSignal.any([stopping, waker.signal]))
      }
    } finally {
      this.#wakers.delete(shardId)
      this.#keys.delete(shardId)
    }
  }

  /** A person decided: look now. */
  wake(shardId: string): void {
    this.#wakers.get(shardId)?.abort()
  }

  /** What kept every shard from being tried has changed. */
  wakeAll(): void {
    for (const waker of [...this.#wakers.values()]) waker.abort()
  }

  #pauseMs(end: Exclude<DrainEnd, { readonly kind: 'released' | 'given-back' | 'no-time' }>): number {
    switch (end.kind) {
      case 'wait':
        // With several processes a person's word may come by another one: the ledger alone tells.
        return Math.min(
          this.#parts.owner.isShared ? LOOK_EVERY_MS : MAX_SLEEP_MS,
          end.untilMs - this.#parts.engine.clock.now(),
        )
      case 'parked':
        return LOOK_EVERY_MS
      case 'soon':
        return SOON_MS
    }
  }
}
