import { join } from 'node:path'
import { defineApp, type Eddy, fixed, open, outcome, stream, subscribe } from 'eddy'
import type { Benchmark, Result } from '../support/benchmark.ts'
import { quantile } from '../support/statistics.ts'
import { waitUntil } from '../support/wait-until.ts'

const BURST = 50_000
/** Time to get all of them into the ledger before they are due, all at once. */
const HEAD_START_MS = 60_000
const MEASURED_MS = 30_000
const NEW_PER_SECOND = 200
const TICK_MS = 50
const BUDGET = { share: 0.2, minPerSecond: 100, expireMs: 10_000 }

interface Data {
  readonly isNew: boolean
  readonly atMs: number
}

/** What a burst of failed events that are all due does to new events, and to the downstream. */
export const burst: Benchmark = {
  name: 'burst',
  timeoutMs: HEAD_START_MS + MEASURED_MS + 120_000,
  async run({ dir, say }) {
    const waitsMs: number[] = []
    let retries = 0
    let dueAtMs = 0
    const bench = stream<Data>('bench', { shards: 4 })
    const charge = subscribe('charge', bench, {
      concurrency: 64,
      failure: { retry: fixed({ delayMs: 600_000, maxAttempts: 100 }) },
      protect: { retryBudget: BUDGET },
      handle: async ({ data }, { attempt }) => {
        if (attempt > 1) {
          retries += 1
          throw new Error('the bank is still down')
        }
        if (!data.isNew) throw outcome.retryAfterMs(dueAtMs - Date.now())
        waitsMs.push(Date.now() - data.atMs)
      },
    })
    const eddy = await open(defineApp({ subscriptions: [charge] }), { dataDir: join(dir, 'data') })
    try {
      dueAtMs = Date.now() + HEAD_START_MS
      await fail(eddy)
      say(`${BURST} failed, due in ${Math.round((dueAtMs - Date.now()) / 1_000)} s`)
      await waitUntil(() => Date.now() >= dueAtMs, HEAD_START_MS + 5_000, 20)
      const offered = await offer(eddy)
      const isDone = await waitUntil(() => waitsMs.length === offered, 30_000, 20)
      if (!isDone) throw new Error(`only ${waitsMs.length} of ${offered} new events were handled`)
      return resultsOf(waitsMs, retries, (Date.now() - dueAtMs) / 1_000)
    } finally {
      await eddy.close()
    }
  },
}

async function fail(eddy: Eddy): Promise<void> {
  const events = Array.from({ length: BURST }, (_, index) => ({
    key: `burst-${index}`,
    data: { isNew: false, atMs: 0 },
  }))
  await eddy.append('bench', events)
  const isPending = async (): Promise<boolean> =>
    (await eddy.operations.showSubscription('charge')).retrying === BURST
  if (!(await waitUntil(isPending, HEAD_START_MS - 10_000, 50)))
    throw new Error(`the ${BURST} failures were not all in the ledger before they were due`)
}

/** New events at a steady rate. @returns how many */
async function offer(eddy: Eddy): Promise<number> {
  const beganMs = Date.now()
  let offered = 0
  const appends: Promise<unknown>[] = []
  await waitUntil(
    () => {
      const passedMs = Math.min(MEASURED_MS, Date.now() - beganMs)
      const wanted = Math.floor((passedMs * NEW_PER_SECOND) / 1_000)
      const events = Array.from({ length: wanted - offered }, (_, index) => ({
        key: `new-${offered + index}`,
        data: { isNew: true, atMs: Date.now() },
      }))
      offered = wanted
      if (events.length > 0) appends.push(eddy.append('bench', events))
      return passedMs >= MEASURED_MS
    },
    MEASURED_MS + 5_000,
    TICK_MS,
  )
  await Promise.all(appends)
  return offered
}

function resultsOf(waitsMs: number[], retries: number, seconds: number): Result[] {
  // What the burst's own first attempts have paid for is void long before.
  const paid = BUDGET.share * waitsMs.length + BUDGET.minPerSecond * (seconds + 0.1) + 1
  const p50 = quantile(waitsMs, 0.5)
  const max = Math.max(...waitsMs)
  return [
    {
      what: `first attempts of new events beside ${BURST.toLocaleString('en-US')} retries that are due, p99`,
      value: quantile(waitsMs, 0.99),
      unit: 'ms',
      target: { kind: 'at most', value: 1_000 },
      note: `from the call of append; p50 ${p50} ms, max ${max} ms`,
      details: { p50, max },
    },
    {
      what: 'retries ÷ what their budget allows for',
      value: retries / paid,
      unit: 'ratio',
      target: { kind: 'at most', value: 1 },
      note: `${retries} in ${seconds.toFixed(1)} s beside ${waitsMs.length} first attempts`,
      details: { retries, paid },
    },
  ]
}
