import { join } from 'node:path'
import { type Engine, type Log, startRuntime } from '@eddy/core'
import { openEmbedded } from '@eddy/embedded'
import { defineApp, stream, subscribe } from 'eddy'
import type { Benchmark, Result } from '../support/benchmark.ts'
import { sampleEvents } from '../support/sample-events.ts'
import { waitUntil } from '../support/wait-until.ts'

const SHARDS = 4
const SUBSCRIPTIONS = 20
const APPENDS = 100
const EVENTS_AN_APPEND = 40
const TIMEOUT_MS = 30_000

/** How often the log is read, by 20 subscriptions at the head and by one. A count: no clock is involved. */
export const head: Benchmark = {
  name: 'head',
  timeoutMs: 90_000,
  async run({ dir }) {
    const results: Result[] = []
    for (const pace of ['step by step', 'at full speed'] as const) {
      const one = await readsOf(join(dir, `${pace}-1`), 1, pace)
      const many = await readsOf(join(dir, `${pace}-20`), SUBSCRIPTIONS, pace)
      results.push({
        what: `reads of the log by ${SUBSCRIPTIONS} subscriptions ÷ by 1, events ${pace}`,
        value: many / one,
        unit: 'ratio',
        target: { kind: 'at most', value: 1.05 },
        note: `${many / SHARDS} against ${one / SHARDS} reads a shard`,
        details: { readsByMany: many, readsByOne: one },
      })
    }
    return results
  },
}

/** @returns calls of `Log.read` from the first append until everything was handled */
async function readsOf(
  dataDir: string,
  count: number,
  pace: 'step by step' | 'at full speed',
): Promise<number> {
  const bench = stream('bench', { shards: SHARDS })
  let handled = 0
  const subscriptions = Array.from({ length: count }, (_, index) =>
    subscribe(`reader-${index}`, bench, {
      handle: async () => {
        handled += 1
      },
    }),
  )
  const embedded = await openEmbedded({ dataDir })
  const { engine, reads } = countingReads(embedded)
  const runtime = await startRuntime({ engine, app: defineApp({ subscriptions }) })
  try {
    const events = sampleEvents(EVENTS_AN_APPEND, (index) => `key-${index}`)
    const before = reads()
    for (let sent = 1; sent <= APPENDS; sent += 1) {
      await runtime.append(bench, events)
      const expected = (pace === 'step by step' ? sent : 0) * EVENTS_AN_APPEND * count
      await handledAll(() => handled >= expected)
    }
    await handledAll(() => handled >= APPENDS * EVENTS_AN_APPEND * count)
    return reads() - before
  } finally {
    await runtime.stop()
    await embedded.close()
  }
}

async function handledAll(isHandled: () => boolean): Promise<void> {
  if (!(await waitUntil(isHandled, TIMEOUT_MS, 1)))
    throw new Error(`not every subscription had handled every event after ${TIMEOUT_MS} ms`)
}

/** The engine, with its `Log.read` counted. */
function countingReads(engine: Engine): { readonly engine: Engine; readonly reads: () => number } {
  let reads = 0
  const log = new Proxy<Log>(engine.log, {
    get(target, name) {
      if (name === 'read') reads += 1
      const member: unknown = Reflect.get(target, name, target)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
  const counted = new Proxy(engine, {
    get(target, name) {
      if (name === 'log') return log
      const member: unknown = Reflect.get(target, name, target)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
  return { engine: counted, reads: () => reads }
}
