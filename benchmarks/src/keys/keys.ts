import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { defineApp, type Eddy, open, stream, subscribe } from 'eddy'
import type { Benchmark, Result } from '../support/benchmark.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { sum } from '../support/statistics.ts'
import { waitUntil } from '../support/wait-until.ts'

const RECORDS = 10_000
const CONCURRENCY = 16
const MAX_WORK_MS = 5
const TIMEOUT_MS = 60_000

/** One shard, handlers that wait 0 to 5 ms: how near the keys' own work and the concurrency come to be the only limit. */
export const keys: Benchmark = {
  name: 'keys',
  timeoutMs: 120_000,
  async run(settings) {
    await timeOf(join(settings.dir, 'warm-up'), 100, 2_000)
    const results: Result[] = []
    for (const keyCount of [1, 10, 100]) {
      settings.say(`${keyCount} keys`)
      results.push(await timeOf(join(settings.dir, `${keyCount}-keys`), keyCount, RECORDS))
    }
    return results
  },
}

async function timeOf(dataDir: string, keyCount: number, records: number): Promise<Result> {
  const shard = stream('bench', { shards: 1 })
  const random = seededRandom(keyCount)
  const writer = await open(defineApp({ streams: [shard], subscriptions: [] }), { dataDir })
  await produce(writer, records, keyCount, random)
  await writer.close()

  const workMs = new Map<string, number>()
  let done = 0
  let firstMs = Number.POSITIVE_INFINITY
  let lastMs = 0
  const working = subscribe('working', shard, {
    concurrency: CONCURRENCY,
    handle: async (event, { key }) => {
      const startedMs = performance.now()
      firstMs = Math.min(firstMs, startedMs)
      await sleep((event.data as { workMs: number }).workMs)
      lastMs = performance.now()
      workMs.set(key, (workMs.get(key) ?? 0) + lastMs - startedMs)
      done += 1
    },
  })
  const eddy = await open(defineApp({ subscriptions: [working] }), { dataDir })
  const isDone = await waitUntil(() => done === records, TIMEOUT_MS)
  await eddy.close()
  if (!isDone) throw new Error(`only ${done} of ${records} records were handled in ${TIMEOUT_MS} ms`)
  return resultOf(keyCount, lastMs - firstMs, workMs)
}

function resultOf(keyCount: number, totalMs: number, workMs: ReadonlyMap<string, number>): Result {
  const slowestKeyMs = Math.max(...workMs.values())
  const sharedMs = sum(workMs.values()) / CONCURRENCY
  const boundMs = Math.max(slowestKeyMs, sharedMs)
  const by = slowestKeyMs >= sharedMs ? 'the slowest key' : `${CONCURRENCY} handlers at a time`
  return {
    what: `${keyCount} ${keyCount === 1 ? 'key' : 'keys'}: time ÷ bound`,
    value: totalMs / boundMs,
    unit: 'ratio',
    target: { kind: 'at most', value: 1.05 },
    note: `${Math.round(totalMs)} ms against ${Math.round(boundMs)} ms, set by ${by}`,
    details: { totalMs, boundMs, slowestKeyMs, sharedMs },
  }
}

async function produce(eddy: Eddy, records: number, keyCount: number, random: () => number): Promise<void> {
  const events = Array.from({ length: records }, () => ({
    key: `key-${Math.floor(random() * keyCount)}`,
    data: { workMs: random() * MAX_WORK_MS },
  }))
  await eddy.append('bench', events)
}
