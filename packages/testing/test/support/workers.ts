import {
  type AppDefinition,
  defineApp,
  type FailureOptions,
  type HandlerContext,
  type LeasesOptions,
  leases,
  type NewEvent,
  type Runtime,
  startRuntime,
  stream,
  subscribe,
} from '@eddy/core'
import { onTestFinished } from 'vitest'
import type { SimEngine } from '../../src/sim/process/sim-engine.ts'
import { SimWorld, type SimWorldOptions } from '../../src/sim/sim-world.ts'

export interface Worker {
  readonly name: string
  readonly engine: SimEngine
  readonly runtime: Runtime
}

export interface Handled {
  readonly worker: string
  readonly id: string
  readonly key: string
  readonly shardId: string
  readonly atMs: number
  readonly attempt: number
}

export interface WorkersOptions extends LeasesOptions, Omit<SimWorldOptions, 'seed'> {
  readonly seed?: number
  readonly shards?: number
  readonly failure?: FailureOptions
  readonly concurrency?: number
  readonly timeoutMs?: number
  /** Of one event. */
  readonly handleMs?: number
  /** Called by each handler before it succeeds; throws to fail. */
  readonly handle?: (id: string, ctx: HandlerContext, worker: Worker) => Promise<void> | void
  /** More subscriptions than `work`. */
  readonly subscriptions?: readonly string[]
}

/** Several workers on one simulated world, with one application: the stream `events` and the subscription `work`. */
export class Workers {
  readonly world: SimWorld
  readonly handled: Handled[] = []
  /** Events whose handler is running, by worker. */
  readonly running: Map<string, string> = new Map()
  readonly #options: WorkersOptions
  readonly #workers = new Map<string, Worker>()
  #appended = 0

  constructor(options: WorkersOptions = {}) {
    this.#options = options
    const { seed = 1, ...world } = options
    this.world = new SimWorld({ ...world, seed })
    onTestFinished(() => this.world.crash())
  }

  async start(name: string): Promise<Worker> {
    const { leaseMs } = this.#options
    const engine = this.world.boot()
    const worker = { name, engine } as { name: string; engine: SimEngine; runtime: Runtime }
    const ownership = leases({ name, ...(leaseMs !== undefined && { leaseMs }) })
    worker.runtime = await this.until(startRuntime({ engine, app: this.#app(worker), ownership }))
    this.#workers.set(name, worker)
    return worker
  }

  get(name: string): Worker {
    const worker = this.#workers.get(name)
    if (worker === undefined) throw new Error(`there is no worker ${name}`)
    return worker
  }

  /** Of those that run. */
  names(): string[] {
    return [...this.#workers.keys()]
  }

  /** As by kill -9. */
  kill(name: string): void {
    this.world.crash(this.get(name).engine)
    this.#workers.delete(name)
  }

  async stop(name: string): Promise<void> {
    const { runtime, engine } = this.get(name)
    await this.until(runtime.stop())
    this.world.crash(engine)
    this.#workers.delete(name)
  }

  /** Drives the clock until the promise is settled. */
  async until<T>(promise: Promise<T>): Promise<T> {
    return await this.world.clock.settle(promise)
  }

  async advance(ms: number): Promise<void> {
    await this.world.clock.advance(ms)
  }

  /** One event for each key, named `<key><number>`. */
  async append(keys: readonly string[], by?: string): Promise<void> {
    const name = by ?? ([...this.#workers.keys()][0] as string)
    this.#appended += 1
    const events: NewEvent[] = keys.map((key) => ({ key, id: `${key}${this.#appended}`, data: {} }))
    await this.until(this.get(name).runtime.append('events', events))
  }

  /** Shards by the worker that has their leases, as the table says. */
  owners(): Map<string, number> {
    const owners = new Map<string, number>()
    for (const { sort, value } of this.world.store.allItems('lease')) {
      const { owner, isDone } = value as { owner: string; isDone?: boolean }
      if (!sort.startsWith('shard/') || isDone === true) continue
      owners.set(owner, (owners.get(owner) ?? 0) + 1)
    }
    return owners
  }

  /** Where the order of a key was broken: an event that began before an earlier one of its key had gone well. */
  outOfOrder(): string[] {
    const latest = new Map<string, number>()
    const found: string[] = []
    for (const { key, id } of this.handled) {
      const n = Number(id.slice(key.length))
      if (n < (latest.get(key) ?? 0)) found.push(id)
      latest.set(key, Math.max(n, latest.get(key) ?? 0))
    }
    return found
  }

  #app(worker: Worker): AppDefinition {
    const { shards = 4, failure = {}, concurrency = 20, handleMs = 5, timeoutMs = 5_000 } = this.#options
    const events = stream('events', { shards })
    const handle = async (id: string, key: string, ctx: HandlerContext): Promise<void> => {
      await worker.engine.clock.sleep(handleMs)
      await this.#options.handle?.(id, ctx, worker)
      this.handled.push({
        worker: worker.name,
        id,
        key,
        shardId: ctx.shardId,
        atMs: this.world.clock.monotonicMs(),
        attempt: ctx.attempt,
      })
    }
    return defineApp({
      subscriptions: ['work', ...(this.#options.subscriptions ?? [])].map((name) =>
        subscribe(name, events, {
          concurrency,
          timeoutMs,
          failure: { blocks: 'key', exhausted: 'dead-letter', ...failure } as FailureOptions,
          handle: async (event, ctx) => {
            if (name !== 'work') return
            await handle(event.id, ctx.key, ctx)
          },
        }),
      ),
    })
  }
}

/** Of different shards, mostly. */
export const KEYS: readonly string[] = Array.from({ length: 24 }, (_, n) => `k${n}-`)
