import { join } from 'node:path'
import { type AppDefinition, defineApp, type Eddy, open, stream, subscribe, succeeded } from 'eddy'
import type { Benchmark, Result } from '../support/benchmark.ts'
import { ownMs } from '../support/machine.ts'
import { sampleEvents } from '../support/sample-events.ts'
import { median } from '../support/statistics.ts'
import { waitUntil } from '../support/wait-until.ts'

const SHARDS = 4
const CHUNK = 500
const WARM_UP = 50_000
const EVENTS = 200_000
const REPETITIONS = 3
const CONCURRENCY = 64
const BATCH = 100
/** Calls at a time. */
const BATCHES = 4
const TIMEOUT_MS = 60_000

interface Measured {
  readonly ms: number
  readonly cpuMs: number
}

/** Append, handle with a no-op async handler, checkpoint: first one after the other, then both at once. */
export const pipeline: Benchmark = {
  name: 'pipeline',
  timeoutMs: 180_000,
  async run(settings) {
    const produced: Measured[] = []
    const consumed: Measured[] = []
    const inBatches: Measured[] = []
    const both: Measured[] = []
    const bothInBatches: Measured[] = []
    for (let repetition = 0; repetition <= REPETITIONS; repetition += 1) {
      const events = repetition === 0 ? WARM_UP : EVENTS
      settings.say(`repetition ${repetition}`)
      const apart = await oneThenTheOther(join(settings.dir, `apart-${repetition}`), events)
      const together = await bothAtOnce(join(settings.dir, `both-${repetition}`), events, one())
      const togetherInBatches = await bothAtOnce(
        join(settings.dir, `batches-${repetition}`),
        events,
        batches(),
      )
      if (repetition === 0) continue
      produced.push(apart.produced)
      consumed.push(apart.consumed)
      inBatches.push(apart.inBatches)
      both.push(together)
      bothInBatches.push(togetherInBatches)
    }
    return [
      ...linesOf('append events of 1 KiB JSON, fsync', produced),
      ...linesOf('handle and checkpoint, from the log', consumed),
      ...linesOf(`the same, in batches of ${BATCH}`, inBatches),
      ...linesOf('append, handle, checkpoint at once', both),
      ...linesOf(`the same, in batches of ${BATCH}`, bothInBatches),
    ]
  },
}

function linesOf(what: string, runs: readonly Measured[]): Result[] {
  const rates = runs.map(({ ms }) => (EVENTS / ms) * 1_000)
  const cpuUs = runs.map(({ cpuMs }) => (cpuMs * 1_000) / EVENTS)
  return [
    {
      what,
      value: median(rates),
      unit: 'per second',
      note: `${median(cpuUs).toFixed(1)} µs of CPU an event`,
      details: { rates, cpuUsAnEvent: cpuUs },
    },
  ]
}

/** An application that counts its events. */
interface Counting {
  readonly app: AppDefinition
  readonly handled: () => number
}

function one(): Counting {
  let handled = 0
  const noop = subscribe('noop', stream('bench', { shards: SHARDS }), {
    concurrency: CONCURRENCY,
    handle: async () => {
      handled += 1
    },
  })
  return { app: defineApp({ subscriptions: [noop] }), handled: () => handled }
}

function batches(): Counting {
  let handled = 0
  const noop = subscribe('noop-batches', stream('bench', { shards: SHARDS }), {
    concurrency: BATCHES,
    batch: { maxEvents: BATCH },
    handleBatch: async (items) => {
      handled += items.length
      return items.map(succeeded)
    },
  })
  return { app: defineApp({ subscriptions: [noop] }), handled: () => handled }
}

async function oneThenTheOther(
  dataDir: string,
  events: number,
): Promise<{ readonly produced: Measured; readonly consumed: Measured; readonly inBatches: Measured }> {
  const bench = stream('bench', { shards: SHARDS })
  const writer = await open(defineApp({ streams: [bench], subscriptions: [] }), { dataDir })
  const produced = await measured(() => produce(writer, events))
  await writer.close()
  return {
    produced,
    consumed: await consume(dataDir, events, one()),
    inBatches: await consume(dataDir, events, batches()),
  }
}

/** Opening and closing count: closing is what makes the last checkpoint durable. */
async function consume(dataDir: string, events: number, { app, handled }: Counting): Promise<Measured> {
  return await measured(async () => {
    const reader = await open(app, { dataDir })
    await allHandled(handled, events)
    await reader.close()
  })
}

async function bothAtOnce(dataDir: string, events: number, { app, handled }: Counting): Promise<Measured> {
  const eddy = await open(app, { dataDir })
  return await measured(async () => {
    await produce(eddy, events)
    await allHandled(handled, events)
    await eddy.close()
  })
}

async function allHandled(handled: () => number, events: number): Promise<void> {
  if (!(await waitUntil(() => handled() >= events, TIMEOUT_MS, 2)))
    throw new Error(`only ${handled()} of ${events} events were handled in ${TIMEOUT_MS} ms`)
}

/** Four callers, each with one chunk of 500 under way; 20,000 keys. */
async function produce(eddy: Eddy, events: number): Promise<void> {
  const callers = Array.from({ length: SHARDS }, async (_, caller) => {
    const chunks = Array.from({ length: 10 }, (_unused, part) =>
      sampleEvents(CHUNK, (index) => `customer-${caller}-${part * CHUNK + index}`),
    )
    for (let sent = 0; sent < events / SHARDS; sent += CHUNK) {
      const outcomes = await eddy.append('bench', chunks[(sent / CHUNK) % chunks.length] ?? [])
      if (outcomes.some((outcome) => !outcome.ok)) throw new Error('an append was refused')
    }
  })
  await Promise.all(callers)
}

async function measured(work: () => Promise<void>): Promise<Measured> {
  const startedMs = performance.now()
  const cpuMs = ownMs()
  await work()
  return { ms: performance.now() - startedMs, cpuMs: ownMs() - cpuMs }
}
