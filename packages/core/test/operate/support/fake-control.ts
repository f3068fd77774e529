import { Ledger, type LedgerEntry } from '../../../src/fail/ledger.ts'
import { LivePolicy } from '../../../src/live-policy/live-policy.ts'
import { PolicyStore } from '../../../src/live-policy/policy-store.ts'
import type { SubscriptionDefinition } from '../../../src/model/app.ts'
import type { LedgerItem } from '../../../src/model/ledger-item.ts'
import { stream } from '../../../src/model/stream.ts'
import { subscribe } from '../../../src/model/subscribe.ts'
import type { SubscriptionStatus } from '../../../src/operate/operations.ts'
import type { Engine } from '../../../src/ports/engine.ts'
import type {
  RequeueRequest,
  RequeueResult,
  SeekTarget,
  SubscriptionControl,
} from '../../../src/runtime/subscription-control.ts'

export interface FakeOptions {
  readonly blocks?: 'nothing' | 'key'
  readonly schema?: SubscriptionDefinition['schema']
}

/** A subscription that runs nothing: what it was asked to do is in the ledger and in the retry queue. */
export class FakeControl implements SubscriptionControl {
  readonly definition: SubscriptionDefinition
  readonly ledger: Ledger
  readonly policy: LivePolicy
  readonly asked: string[] = []
  paused: boolean = false
  /** Ids that would run out of order. */
  readonly outOfOrder: Set<string> = new Set()
  readonly #engine: Engine

  constructor(engine: Engine, name: string, options: FakeOptions = {}) {
    this.#engine = engine
    const orders = stream('orders', {
      shards: 1,
      ...(options.schema !== undefined && { schema: options.schema }),
    })
    this.definition = subscribe(name, orders, {
      failure: options.blocks === 'key' ? { blocks: 'key', exhausted: 'hold' } : { blocks: 'nothing' },
      handle: () => undefined,
    }) as SubscriptionDefinition
    this.ledger = new Ledger(engine, name, 14 * 24 * 3_600_000)
    this.policy = new LivePolicy({
      subscription: name,
      file: this.definition,
      store: new PolicyStore(engine, name),
      nowMs: () => engine.clock.now(),
      persist: (_what, step) => step(),
      apply: (_policy, version) => void this.asked.push(`policy version ${version}`),
      onRejected: () => undefined,
    })
  }

  async wouldRunOutOfOrder(item: LedgerItem): Promise<boolean> {
    return this.outOfOrder.has(item.id)
  }

  async requeue(entry: LedgerEntry, request: RequeueRequest): Promise<RequeueResult> {
    const { item } = entry
    if (item.redrives.at(-1)?.jobId === request.jobId) {
      await this.nudge(item)
      return { kind: 'already' }
    }
    if (item.status !== 'dead' && item.status !== 'archived' && item.parked !== true) {
      return { kind: 'refused', reason: 'not-dead' }
    }
    if (this.outOfOrder.has(item.id) && !request.allowOutOfOrder)
      return { kind: 'refused', reason: 'out-of-order' }
    const nowMs = this.#engine.clock.now()
    const { parked: _parked, ...kept } = item
    const next: LedgerItem = {
      ...kept,
      status: 'retrying',
      dueAtMs: nowMs,
      statusAtMs: nowMs,
      budgetFrom: { attempts: item.attempts, sinceMs: nowMs },
      redrives: [...item.redrives, { jobId: request.jobId, by: request.by, atMs: nowMs }],
    }
    const written = await this.ledger.replace(entry, next)
    if (!written.ok) return { kind: 'refused', reason: 'not-dead' }
    await this.nudge(next)
    return { kind: 'queued', item: next }
  }

  async beforePurge(): Promise<void> {
    this.asked.push('before-purge')
  }

  async nudge(item: LedgerItem): Promise<void> {
    await this.#engine.queue.send(`retry/${this.definition.name}`, [{ body: item.id, delayMs: 0 }])
  }

  async status(): Promise<SubscriptionStatus> {
    const { name, stream: source, failure, concurrency } = this.definition
    return {
      name,
      stream: source,
      blocks: failure.blocks,
      exhausted: failure.exhausted,
      paused: this.paused,
      concurrency,
      inFlight: 0,
      retrying: this.ledger.countOf('retrying'),
      held: 0,
      heldKeys: 0,
      dead: this.ledger.countOf('dead'),
      lagRecords: 0,
      lagMs: 0,
      shards: [],
    }
  }

  async pause(by: string): Promise<void> {
    this.paused = true
    this.asked.push(`pause by ${by}`)
  }

  async resume(): Promise<void> {
    this.paused = false
    this.asked.push('resume')
  }

  async resetBreaker(): Promise<boolean> {
    this.asked.push('reset the breaker')
    return true
  }

  async seek(to: SeekTarget, shardId: string | undefined): Promise<void> {
    this.asked.push(`seek ${to.at} ${shardId ?? 'all'}`)
  }
}
