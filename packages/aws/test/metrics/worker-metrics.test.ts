import { embeddedMetrics, WorkerMetrics } from '@eddy/aws/metrics'
import {
  defineApp,
  fixed,
  leases,
  type NewEvent,
  type Runtime,
  silentLogger,
  startRuntime,
  stream,
  subscribe,
} from '@eddy/core'
import { type SimEngine, SimWorld } from '@eddy/testing'
import { describe, expect, it, onTestFinished } from 'vitest'

interface Line {
  readonly worker: string
  readonly Subscription: string
  readonly [metric: string]: unknown
}

interface Worker {
  readonly engine: SimEngine
  readonly runtime: Runtime
  readonly metrics: WorkerMetrics
}

interface Deployed {
  readonly world: SimWorld
  readonly lines: Line[]
  readonly workers: ReadonlyMap<string, Worker>
  append(data: readonly ('ok' | 'fails' | 'slow')[]): Promise<void>
  advance(ms: number): Promise<void>
}

/** Workers of one application that share a stream of four shards, and what they write to standard output. */
async function deployed(names: readonly string[]): Promise<Deployed> {
  const world = new SimWorld({ seed: 5 })
  onTestFinished(() => world.crash())
  const lines: Line[] = []
  const workers = new Map<string, Worker>()
  for (const worker of names) {
    const engine = world.boot()
    const app = defineApp({
      subscriptions: [
        subscribe('charge', stream('orders', { shards: 4 }), {
          timeoutMs: 600_000,
          failure: {
            blocks: 'key',
            exhausted: 'dead-letter',
            immediate: 0,
            retry: fixed({ delayMs: 100_000, maxAttempts: 3 }),
          },
          handle: async (event) => {
            if (event.data === 'slow') await engine.clock.sleep(300_000)
            if (event.data === 'fails') throw new Error('planned')
          },
        }),
      ],
    })
    const ownership = leases({ name: worker })
    const runtime = await world.clock.settle(startRuntime({ engine, app, ownership }))
    const write = (line: string): void => void lines.push({ worker, ...JSON.parse(line) })
    const publish = embeddedMetrics('shop', () => engine.clock.now(), write)
    const { clock } = engine
    const metrics = new WorkerMetrics({
      figures: () => runtime.figures(),
      publish,
      clock,
      logger: silentLogger,
    })
    workers.set(worker, { engine, runtime, metrics })
  }
  await world.clock.advance(20_000)
  let appended = 0
  return {
    world,
    lines,
    workers,
    append: async (data) => {
      const events = data.map((one): NewEvent => {
        appended += 1
        return { key: `k${appended}`, data: one }
      })
      const { runtime } = [...workers.values()].at(-1) as Worker
      await world.clock.settle(runtime.append('orders', events))
    },
    advance: (ms) => world.clock.advance(ms),
  }
}

const sum = (lines: readonly Line[], metric: string): number =>
  lines.reduce((total, line) => total + Number(line[metric] ?? 0), 0)
const largest = (lines: readonly Line[], metric: string): number =>
  Math.max(...lines.map((line) => Number(line[metric] ?? Number.NEGATIVE_INFINITY)))
const tellersOf = (lines: readonly Line[], metric: string): readonly string[] => [
  ...new Set(lines.filter((line) => metric in line).map(({ worker }) => worker)),
]

describe('Metrics of workers', () => {
  it("are told under functions' names: counts by each for itself, what waits by one for all", async () => {
    const { append, advance, lines } = await deployed(['a', 'b'])
    await append([...Array.from({ length: 40 }, () => 'ok' as const), 'fails', 'fails', 'fails'])
    await advance(60_000)
    expect(lines[0]).toMatchObject({
      _aws: { CloudWatchMetrics: [{ Namespace: 'Eddy', Dimensions: [['Application', 'Subscription']] }] },
      Application: 'shop',
      Subscription: 'charge',
    })
    expect(tellersOf(lines, 'Handled').toSorted()).toEqual(['a', 'b'])
    expect(sum(lines, 'Handled')).toBe(40)
    expect(tellersOf(lines, 'OldestRetry')).toHaveLength(1)
    expect(tellersOf(lines, 'HeldKeys')).toEqual(tellersOf(lines, 'OldestRetry'))
    expect(largest(lines, 'HeldKeys')).toBe(3)
    // Nothing is counted twice: what was told is not told again.
    await advance(300_000)
    expect(sum(lines, 'Handled')).toBe(40)
    expect(sum(lines, 'FailedAttempts')).toBe(9)
    expect(sum(lines, 'Retries')).toBe(6)
    expect(sum(lines, 'DeadLetters')).toBe(3)
    const waited = lines.filter((line) => 'OldestRetry' in line).map(({ OldestRetry }) => Number(OldestRetry))
    expect(waited).toHaveLength(6)
    expect(Math.max(...waited)).toBeGreaterThanOrEqual(50)
    expect(waited.at(-1)).toBe(0)
  })

  it('tell 0 while nothing waits, so that silence means that nobody sweeps; another worker tells it after a death', async () => {
    const { world, advance, lines, workers } = await deployed(['a', 'b'])
    await advance(180_000)
    const told = lines.filter((line) => 'OldestRetry' in line)
    expect(told.map(({ OldestRetry, HeldKeys }) => [OldestRetry, HeldKeys])).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
    ])
    const [leader = ''] = tellersOf(lines, 'OldestRetry')
    world.crash(workers.get(leader)?.engine)
    lines.length = 0
    await advance(180_000)
    expect(tellersOf(lines, 'OldestRetry')).toEqual([leader === 'a' ? 'b' : 'a'])
    world.crash()
    lines.length = 0
    await advance(180_000)
    expect(lines).toEqual([])
  })

  it('leave out what waits when sweeps fail, though the worker lives: a sweeper that is dead does not look well', async () => {
    const { advance, lines, workers } = await deployed(['a'])
    const { engine } = workers.get('a') as Worker
    const { table } = engine
    const query = table.query.bind(table)
    // As when the role lacks a right: each sweep is refused.
    Object.assign(table, {
      query: (request: { partition: string }) =>
        request.partition.startsWith('hold') ? Promise.reject(new Error('denied')) : query(request as never),
    })
    await advance(70_000)
    lines.length = 0
    await advance(120_000)
    expect(lines.length).toBeGreaterThan(0)
    expect(lines.filter((line) => 'OldestRetry' in line)).toEqual([])
  })

  it('tell how old the oldest event is that is not done with', async () => {
    const { append, advance, lines } = await deployed(['a', 'b'])
    await append(['slow'])
    await advance(180_000)
    expect(largest(lines, 'Lag')).toBeGreaterThanOrEqual(120)
    expect(largest(lines, 'Lag')).toBeLessThanOrEqual(180)
    await advance(300_000)
    lines.length = 0
    await advance(60_000)
    expect(largest(lines, 'Lag')).toBe(0)
  })

  it('tell at a stop what was counted since the last minute', async () => {
    const { world, append, advance, lines, workers } = await deployed(['a'])
    await append(['ok', 'ok'])
    await advance(1_000)
    const { runtime, metrics } = workers.get('a') as Worker
    const before = sum(lines, 'Handled')
    await world.clock.settle(runtime.stop())
    await world.clock.settle(metrics.stop())
    expect([before, sum(lines, 'Handled')]).toEqual([0, 2])
    lines.length = 0
    await advance(180_000)
    expect(lines).toEqual([])
  })
})
