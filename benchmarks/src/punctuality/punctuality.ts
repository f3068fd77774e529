import { join } from 'node:path'
import { defineApp, type Eddy, fixed, open, outcome, stream, subscribe } from 'eddy'
import type { Benchmark, Result } from '../support/benchmark.ts'
import { seededRandom, shuffle } from '../support/seeded-random.ts'
import { quantile } from '../support/statistics.ts'
import { waitUntil } from '../support/wait-until.ts'

const RETRIES = 10_000
/** Time to get all of them into the ledger before the first one is due. */
const HEAD_START_MS = 12_000
const PAGE = 500

/** Many pending retries: how long after its due time each is handled. One early one is an error. */
export const punctuality: Benchmark = {
  name: 'punctuality',
  timeoutMs: 120_000 + 600_000,
  async run({ dir, spreadMs, say }) {
    const handledAtMs = new Map<string, number>()
    const bench = stream<{ dueInMs: number }>('bench', { shards: 4 })
    let baseMs = 0
    const failingOnce = subscribe('failing-once', bench, {
      concurrency: 64,
      failure: { blocks: 'key', exhausted: 'hold', retry: fixed({ maxAttempts: 2 }) },
      handle: async (event, { attempt, shardId, sequenceNumber }) => {
        if (attempt === 1) throw outcome.retryAfterMs(baseMs + event.data.dueInMs - Date.now())
        handledAtMs.set(`${shardId}/${sequenceNumber}`, Date.now())
      },
    })
    const eddy = await open(defineApp({ subscriptions: [failingOnce] }), { dataDir: join(dir, 'data') })
    try {
      baseMs = Date.now() + HEAD_START_MS
      await produce(eddy, spreadMs)
      await waitForPending(eddy)
      say('all pending')
      const dueAtMs = await dueTimes(eddy)
      say(`waiting for ${Math.round((baseMs + spreadMs - Date.now()) / 1_000)} s`)
      const isDone = await waitUntil(
        () => handledAtMs.size === RETRIES,
        HEAD_START_MS + spreadMs + 30_000,
        50,
      )
      if (!isDone) throw new Error(`only ${handledAtMs.size} of ${RETRIES} retries were handled`)
      return resultsOf(dueAtMs, handledAtMs, spreadMs)
    } finally {
      await eddy.close()
    }
  },
}

async function produce(eddy: Eddy, spreadMs: number): Promise<void> {
  const order = shuffle(
    Array.from({ length: RETRIES }, (_, index) => index),
    seededRandom(1),
  )
  const events = order.map((place, index) => ({
    key: `key-${index}`,
    data: { dueInMs: (place * spreadMs) / RETRIES },
  }))
  await eddy.append('bench', events)
}

async function waitForPending(eddy: Eddy): Promise<void> {
  const isPending = async (): Promise<boolean> =>
    (await eddy.operations.showSubscription('failing-once')).retrying === RETRIES
  if (!(await waitUntil(isPending, HEAD_START_MS - 1_000, 20)))
    throw new Error(`the ${RETRIES} retries were not all in the ledger before the first one was due`)
}

/** As the ledger has them: what a retry must not precede. */
async function dueTimes(eddy: Eddy): Promise<ReadonlyMap<string, number>> {
  const dueAtMs = new Map<string, number>()
  let after: string | undefined
  do {
    const page = await eddy.operations.listFailures(
      { subscription: 'failing-once', status: 'retrying' },
      { limit: PAGE, ...(after !== undefined && { after }) },
    )
    for (const item of page.items)
      dueAtMs.set(`${item.shardId}/${item.sequenceNumber}`, item.dueAtMs ?? Number.NaN)
    after = page.next
  } while (after !== undefined)
  if (dueAtMs.size !== RETRIES) throw new Error(`the ledger lists ${dueAtMs.size} of ${RETRIES} retries`)
  return dueAtMs
}

function resultsOf(
  dueAtMs: ReadonlyMap<string, number>,
  handledAtMs: ReadonlyMap<string, number>,
  spreadMs: number,
): Result[] {
  const latenessMs = [...handledAtMs].map(([record, atMs]) => atMs - (dueAtMs.get(record) ?? Number.NaN))
  const early = latenessMs.filter((ms) => !(ms >= 0)).length
  if (early > 0) throw new Error(`${early} retries were handled before they were due`)
  const p50 = quantile(latenessMs, 0.5)
  const max = Math.max(...latenessMs)
  return [
    {
      what: `lateness of ${RETRIES.toLocaleString('en-US')} retries due over ${spreadMs / 1_000} s, p99`,
      value: quantile(latenessMs, 0.99),
      unit: 'ms',
      target: { kind: 'at most', value: 20 },
      note: `none early; p50 ${p50} ms, max ${max} ms`,
      details: { p50, max },
    },
  ]
}
