import { join } from 'node:path'
import { type Runtime, startRuntime } from '@eddy/core'
import { type EmbeddedEngine, openEmbedded } from '@eddy/embedded'
import { defineApp, fixed, stream, subscribe } from 'eddy'
import type { Benchmark, Result } from '../support/benchmark.ts'
import type { FillOptions } from '../support/fill-log.ts'
import { ownMs } from '../support/machine.ts'
import { MemoryPeak } from '../support/resident-memory.ts'
import { ScriptProcess } from '../support/script-process.ts'
import { waitUntil } from '../support/wait-until.ts'
import { ShiftedClock } from './shifted-clock.ts'

const SHARDS = 4
const CONCURRENCY = 256
const NAME = 'failing-once'
const HOUR_MS = 3_600_000
/** Longer than this nobody waits: what was reached by then is what is measured. */
const MAX_INTAKE_MS = 110_000
const MAX_DRAIN_MS = 60_000

interface Phase {
  readonly events: number
  readonly ms: number
  readonly cpuMs: number
  readonly peakMiB: number
}

/** Every event fails once, each of a key of its own that is held: how fast they are taken in and drained, and the memory. */
export const million: Benchmark = {
  name: 'million',
  timeoutMs: 120_000 + MAX_INTAKE_MS + MAX_DRAIN_MS + 60_000,
  async run({ dir, pending, say }) {
    const dataDir = join(dir, 'data')
    say('writing the events')
    await fill(dataDir, pending)
    const clock = new ShiftedClock()
    const engine = await openEmbedded({ dataDir, clock })
    const failing = new FailingOnce()
    const runtime = await startRuntime({ engine, app: failing.app() })
    try {
      const peak = new MemoryPeak()
      const intake = await phase(peak, pending, MAX_INTAKE_MS, say, 'taken in', () => depth(engine))
      failing.isOver = true
      clock.setForward(HOUR_MS)
      const drain = await phase(peak, intake.events, MAX_DRAIN_MS, say, 'drained', async () =>
        Math.min(failing.succeeded, intake.events - (await depth(engine))),
      )
      peak.stop()
      return resultsOf(pending, intake, drain)
    } finally {
      await stop(runtime, engine)
    }
  },
}

/** The first attempt of every event fails and is due in half an hour, the second succeeds. */
class FailingOnce {
  succeeded = 0
  /** From then on nothing fails. */
  isOver = false

  app(): ReturnType<typeof defineApp> {
    const subscription = subscribe(NAME, stream('bench', { shards: SHARDS }), {
      concurrency: CONCURRENCY,
      failure: {
        blocks: 'key',
        exhausted: 'hold',
        retry: fixed({ delayMs: HOUR_MS / 2, maxAttempts: 5 }),
      },
      handle: async (_event, { attempt }) => {
        if (attempt > 1) this.succeeded += 1
        else if (!this.isOver) throw new Error('the downstream is not available')
      },
    })
    return defineApp({ subscriptions: [subscription] })
  }
}

async function fill(dataDir: string, events: number): Promise<void> {
  const options: FillOptions = {
    dataDir,
    stream: 'bench',
    shards: SHARDS,
    events,
    data: 'small',
    goOn: false,
  }
  const writer = new ScriptProcess('support/fill-log.js', options)
  try {
    await writer.next(110_000)
    await writer.ended()
  } finally {
    await writer.kill()
  }
}

async function depth(engine: EmbeddedEngine): Promise<number> {
  return await engine.queue.depth(`retry/${NAME}`)
}

/** Waits until `done` has reached `goal`, or for as long as it may take. */
async function phase(
  peak: MemoryPeak,
  goal: number,
  maxMs: number,
  say: (text: string) => void,
  what: string,
  done: () => Promise<number>,
): Promise<Phase> {
  const startedMs = performance.now()
  const cpuMs = ownMs()
  await waitUntil(
    async () => {
      const events = await done()
      say(`${events} ${what}`)
      return events >= goal
    },
    maxMs,
    50,
  )
  const ms = performance.now() - startedMs
  return { events: await done(), ms, cpuMs: ownMs() - cpuMs, peakMiB: peak.peakMiB }
}

async function stop(runtime: Runtime, engine: EmbeddedEngine): Promise<void> {
  await runtime.stop({ timeoutMs: 5_000 })
  await engine.close()
}

function resultsOf(goal: number, intake: Phase, drain: Phase): Result[] {
  const share = (phase: Phase, of: number): string =>
    phase.events >= of ? '' : ` of ${of.toLocaleString('en-US')}: the time was up`
  const rate = (phase: Phase): number => (phase.events / phase.ms) * 1_000
  const cost = (phase: Phase): string => `${((phase.cpuMs * 1_000) / phase.events).toFixed(0)} µs of CPU each`
  const isWhole = intake.events >= goal
  return [
    {
      what: 'pending retries taken in: ledger, hold and queue',
      value: rate(intake),
      unit: 'per second',
      target: { kind: 'at least', value: 10_000 },
      note: `${intake.events.toLocaleString('en-US')}${share(intake, goal)}; ${cost(intake)}`,
      details: { events: intake.events, ms: intake.ms, cpuMs: intake.cpuMs },
    },
    {
      what: 'anonymous memory with all of them pending, peak',
      value: intake.peakMiB,
      unit: 'MiB',
      ...(isWhole && { target: { kind: 'at most', value: 300 } }),
      note: isWhole ? 'taking in included' : 'fewer were pending: not comparable with the target',
      details: { peakMiB: intake.peakMiB },
    },
    {
      what: 'pending retries drained once due',
      value: rate(drain),
      unit: 'per second',
      target: { kind: 'at least', value: 20_000 },
      note: `${drain.events.toLocaleString('en-US')}${share(drain, intake.events)}; ${cost(drain)}; peak ${drain.peakMiB.toFixed(0)} MiB`,
      details: { events: drain.events, ms: drain.ms, cpuMs: drain.cpuMs, peakMiB: drain.peakMiB },
    },
  ]
}
