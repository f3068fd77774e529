import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { type Eddy, open } from 'eddy'
import type { Benchmark, Result } from '../support/benchmark.ts'
import { ownMs } from '../support/machine.ts'
import { median } from '../support/statistics.ts'
import { compute, computeApp, type Work, work } from './compute-app.ts'

const EVENTS = 30_000
const WORK_US = 100
const CHUNK = 500
const KEYS = 5_000
const REPETITIONS = 3
const TIMEOUT_MS = 60_000
const LOOK_MS = 5

/** Handlers that compute for 100 µs: on the process's own thread, and on threads of their own. */
export const threads: Benchmark = {
  name: 'threads',
  timeoutMs: 120_000,
  async run(settings) {
    const rounds = calibrate()
    const counts = availableParallelism() >= 4 ? [0, 2, 3] : [0, 2]
    const rates = new Map<number, number[]>(counts.map((count) => [count, []]))
    const cpuUs = new Map<number, number[]>(counts.map((count) => [count, []]))
    for (let repetition = 0; repetition < REPETITIONS; repetition += 1) {
      for (const count of counts) {
        settings.say(`repetition ${repetition}, ${count} threads`)
        const dataDir = join(settings.dir, `${repetition}-${count}`)
        await fill(dataDir, rounds)
        const measured = await drain(dataDir, count)
        rates.get(count)?.push((EVENTS / measured.ms) * 1_000)
        cpuUs.get(count)?.push((measured.cpuMs * 1_000) / EVENTS)
      }
    }
    return counts.map((count) => resultOf(count, rates, cpuUs))
  },
}

function resultOf(
  count: number,
  rates: ReadonlyMap<number, number[]>,
  cpuUs: ReadonlyMap<number, number[]>,
): Result {
  const own = rates.get(count) ?? []
  const none = median(rates.get(0) ?? [])
  const cpu = median(cpuUs.get(count) ?? []).toFixed(0)
  if (count === 0) {
    const what = `${WORK_US} µs of computing an event, no threads`
    return {
      what,
      value: none,
      unit: 'per second',
      note: `${cpu} µs of CPU an event`,
      details: { rates: own },
    }
  }
  return {
    what: `${count} threads ÷ none`,
    value: median(own) / none,
    unit: 'ratio',
    target: { kind: 'at least', value: count === 2 ? 1.7 : 2.5 },
    note: `${Math.round(median(own)).toLocaleString('en')}/s against ${Math.round(none).toLocaleString('en')}/s, ${cpu} µs of CPU an event`,
    details: { rates: own },
  }
}

/** Rounds that take 100 µs here, once the code is compiled. */
function calibrate(): number {
  const rounds = 20_000
  let best = Number.POSITIVE_INFINITY
  for (let run = 0; run < 200; run += 1) {
    const startedMs = performance.now()
    compute(rounds)
    best = Math.min(best, performance.now() - startedMs)
  }
  return Math.round((rounds * WORK_US) / (best * 1_000))
}

/** Events that wait for a paused subscription. */
async function fill(dataDir: string, rounds: number): Promise<void> {
  const eddy = await open(computeApp(0), { dataDir })
  await eddy.operations.pauseSubscription('compute')
  const data: Work = { rounds }
  for (let sent = 0; sent < EVENTS; sent += CHUNK) {
    const events = Array.from({ length: CHUNK }, (_, index) => ({
      key: `key-${(sent + index) % KEYS}`,
      data,
    }))
    const outcomes = await eddy.append(work, events)
    if (outcomes.some(({ ok }) => !ok)) throw new Error('an append was refused')
  }
  await eddy.close()
}

async function drain(
  dataDir: string,
  count: number,
): Promise<{ readonly ms: number; readonly cpuMs: number }> {
  const eddy = await open(computeApp(count), {
    dataDir,
    appFile: new URL('./compute-app.js', import.meta.url),
  })
  const startedMs = performance.now()
  const cpuMs = ownMs()
  await eddy.operations.resumeSubscription('compute')
  await allHandled(eddy, startedMs + TIMEOUT_MS)
  const measured = { ms: performance.now() - startedMs, cpuMs: ownMs() - cpuMs }
  const { items } = await eddy.operations.listFailures({})
  if (items.length > 0) throw new Error(`${items.length} events failed`)
  await eddy.close()
  return measured
}

async function allHandled(eddy: Eddy, untilMs: number): Promise<void> {
  while ((await eddy.operations.showSubscription('compute')).lagRecords > 0) {
    if (performance.now() > untilMs) throw new Error(`not all events were handled in ${TIMEOUT_MS} ms`)
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}
