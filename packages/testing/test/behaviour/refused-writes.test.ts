import {
  type BatchItem,
  type Blobs,
  defineApp,
  type Engine,
  type FailureOptions,
  failed,
  fixed,
  type Handler,
  type ItemOutcome,
  type LedgerItem,
  type Queue,
  StorageError,
  startRuntime,
  stream,
  subscribe,
  succeeded,
  type Table,
} from '@eddy/core'
import { expect, test } from 'vitest'
import { SimWorld } from '../../src/index.ts'
import { StoredView, SUBSCRIPTION } from '../../src/simulation/stored-view.ts'

const STREAM = 'orders'
/** Events of two keys. Their payloads lie beside their ledger items, in items of their own, in blobs. */
const CHARACTERS = { a1: 2_000, b1: 0, a2: 270_000, a3: 0 }

/** Fails one write, once: before it does anything, or with its answer lost. */
class OneRefusal {
  writes = 0
  /** From 1; 0: none. */
  readonly #nth: number
  readonly #isLost: boolean

  constructor(nth: number, isLost: boolean) {
    this.#nth = nth
    this.#isLost = isLost
  }

  on(engine: Engine): Engine {
    const { table, queue, blobs } = engine
    return {
      ...engine,
      table: this.#watch<Table>(table, ['put', 'delete']),
      queue: this.#watch<Queue>(queue, ['send', 'ack', 'delay']),
      blobs: this.#watch<Blobs>(blobs, ['put', 'delete']),
    }
  }

  #watch<T extends object>(port: T, writes: readonly (keyof T)[]): T {
    const watched: T = { ...port }
    for (const name of writes) {
      const write = (port[name] as (...args: unknown[]) => Promise<unknown>).bind(port)
      watched[name] = (async (...args: unknown[]) => {
        this.writes += 1
        const isRefused = this.writes === this.#nth
        if (isRefused && !this.#isLost) throw new StorageError('planned')
        const answer = await write(...args)
        if (isRefused) throw new StorageError('planned: the answer was lost')
        return answer
      }) as T[keyof T]
    }
    return watched
  }
}

type Case = FailureOptions & { readonly inBatches?: boolean }

interface Run {
  readonly writes: number
  /** Events that the handler was done with, in order. */
  readonly handled: readonly string[]
  readonly ledger: readonly LedgerItem[]
  readonly states: readonly string[]
  readonly tokens: readonly string[]
}

/** `a1` fails for good, `a2` once. Whoever is asked about a parked event drops it. */
async function play({ inBatches, ...failure }: Case, nth: number, isLost: boolean): Promise<Run> {
  const world = new SimWorld({ seed: 1, traceLength: 0 })
  const view = new StoredView(world.store)
  const refusal = new OneRefusal(nth, isLost)
  const handled: string[] = []
  const handleOne: Handler = ({ id }, { attempt }) => {
    if (id === 'a1' || (id === 'a2' && attempt === 1)) throw new Error('planned')
    handled.push(id)
  }
  const handleItem = (item: BatchItem): ItemOutcome => {
    try {
      void handleOne(item.event, item.ctx)
      return succeeded(item)
    } catch (error) {
      return failed(item, error)
    }
  }
  const definition = defineApp({
    subscriptions: [
      subscribe(SUBSCRIPTION, stream(STREAM, { shards: 1 }), {
        failure: { ...failure, retry: fixed({ delayMs: 100, maxAttempts: 2 }) } as never,
        ...(inBatches
          ? { batch: { maxEvents: 3 }, handleBatch: (items) => items.map(handleItem) }
          : { handle: handleOne }),
      }),
    ],
  })
  const done = <T>(call: Promise<T>, ms: number): Promise<T> => world.clock.advance(ms).then(() => call)
  const app = await done(startRuntime({ engine: refusal.on(world.boot()), app: definition }), 1_000)
  const events = Object.entries(CHARACTERS).map(([id, characters]) => ({
    id,
    key: id.slice(0, 1),
    data: { filler: 'x'.repeat(characters) },
  }))
  const appended = app.append(STREAM, events)
  await done(appended, 10_000)
  for (let round = 0; round < 2; round += 1) {
    const dropped = app.operations.dropFailures({ status: 'held' }).catch(() => {})
    await done(dropped, 20_000)
  }
  const { shards } = await done(app.operations.showSubscription(SUBSCRIPTION), 10)
  return {
    writes: refusal.writes,
    handled,
    ledger: view.ledger(),
    states: shards.map(({ state }) => state),
    tokens: view.queuedTokens(),
  }
}

test.each([
  { blocks: 'shard', exhausted: 'drop' },
  { blocks: 'shard', exhausted: 'drop', inBatches: true },
  { blocks: 'shard', exhausted: 'hold' },
  { blocks: 'key', exhausted: 'hold' },
  { blocks: 'key', exhausted: 'hold', inBatches: true },
  { blocks: 'key', exhausted: 'dead-letter-key' },
  { blocks: 'nothing', exhausted: 'dead-letter' },
] as const)(
  'whichever write is refused once, every event comes to its end: %o (I2, I3, I9)',
  async (failure) => {
    const { writes, handled: usual, ledger: known } = await play(failure, 0, false)
    expect(new Set([...usual, ...known.map(({ eventId }) => eventId)])).toEqual(
      new Set(Object.keys(CHARACTERS)),
    )
    for (let nth = 1; nth <= writes; nth += 1) {
      for (const isLost of [false, true]) {
        const { handled, ledger, states, tokens } = await play(failure, nth, isLost)
        const about = `write ${nth} of ${writes}, ${isLost ? 'answer lost' : 'refused'}`
        const open = ledger.filter(({ status }) => status === 'retrying' || status === 'held')
        expect({ about, handled, open, states, tokens }).toEqual({
          about,
          handled: usual,
          open: [],
          states: ['reading'],
          tokens: [],
        })
      }
    }
  },
)
