import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { defineApp, type Eddy, exponential, open, stream, subscribe } from 'eddy'
import type { Benchmark, Result } from '../support/benchmark.ts'
import { sampleData } from '../support/sample-events.ts'
import { median } from '../support/statistics.ts'
import { waitUntil } from '../support/wait-until.ts'

const KEYS = 1_000
/** One key of every hundred fails always. */
const POISONED_EVERY = 100
const SHARDS = 4
const REPETITIONS = 3
const TIMEOUT_MS = 40_000

interface Work {
  readonly what: string
  readonly events: number
  readonly concurrency: number
  readonly handle: () => Promise<void>
}

const WORK: readonly Work[] = [
  {
    what: 'handlers of 0 to 5 ms',
    events: 40_000,
    concurrency: 64,
    handle: async () => {
      await sleep(Math.random() * 5)
    },
  },
  { what: 'no-op handlers', events: 100_000, concurrency: 64, handle: async () => {} },
]

/** `blocks: 'key'`, 1 % of the keys fail always: what the other keys lose. */
export const poisoned: Benchmark = {
  name: 'poisoned',
  timeoutMs: 120_000,
  async run(settings) {
    const results: Result[] = []
    for (const work of WORK) {
      const clean: number[] = []
      const failing: number[] = []
      for (let repetition = 0; repetition <= REPETITIONS; repetition += 1) {
        settings.say(`${work.what}, repetition ${repetition}`)
        for (const [rates, every] of [
          [clean, 0],
          [failing, POISONED_EVERY],
        ] as const) {
          const dir = join(settings.dir, `${WORK.indexOf(work)}-${repetition}-${every}`)
          const rate = await rateOfOthers(dir, work, every)
          if (repetition > 0) rates.push(rate)
        }
      }
      results.push(resultOf(work, clean, failing))
    }
    return results
  },
}

function resultOf(work: Work, clean: readonly number[], failing: readonly number[]): Result {
  const rate = (rates: readonly number[]): string => `${Math.round(median(rates)).toLocaleString('en-US')}/s`
  return {
    what: `other keys' rate ÷ rate without failures, ${work.what}`,
    value: median(failing) / median(clean),
    unit: 'ratio',
    target: { kind: 'at least', value: 0.95 },
    note: `${rate(failing)} against ${rate(clean)}`,
    details: { rates: failing, ratesWithoutFailures: clean },
  }
}

/** @returns events a second of the keys that never fail */
async function rateOfOthers(dataDir: string, work: Work, poisonedEvery: number): Promise<number> {
  const bench = stream('bench', { shards: SHARDS })
  const writer = await open(defineApp({ streams: [bench], subscriptions: [] }), { dataDir })
  await produce(writer, work.events)
  await writer.close()

  let others = 0
  let firstMs = Number.POSITIVE_INFINITY
  let lastMs = 0
  // The same keys count in both runs, whether or not the hundredth fails.
  const isOther = (key: string): boolean => Number(key.slice(4)) % POISONED_EVERY !== 0
  const subscription = subscribe('working', bench, {
    concurrency: work.concurrency,
    failure: {
      blocks: 'key',
      exhausted: 'hold',
      retry: exponential({ initialMs: 200, maxMs: 1_000, maxAttempts: 1_000 }),
    },
    handle: async (_event, { key }) => {
      firstMs = Math.min(firstMs, performance.now())
      await work.handle()
      if (isOther(key)) {
        others += 1
        lastMs = performance.now()
      } else if (poisonedEvery > 0) throw new Error('poisoned')
    },
  })
  const expected = work.events - work.events / POISONED_EVERY
  const eddy = await open(defineApp({ subscriptions: [subscription] }), { dataDir })
  const isDone = await waitUntil(() => others >= expected, TIMEOUT_MS)
  await eddy.close({ timeoutMs: 1_000 })
  if (!isDone) throw new Error(`only ${others} of ${expected} events were handled in ${TIMEOUT_MS} ms`)
  return (others / (lastMs - firstMs)) * 1_000
}

async function produce(eddy: Eddy, count: number): Promise<void> {
  const data = sampleData(0)
  for (let from = 0; from < count; from += 2_000) {
    const events = Array.from({ length: 2_000 }, (_, index) => ({
      key: `key-${(from + index) % KEYS}`,
      data,
    }))
    await eddy.append('bench', events)
  }
}
