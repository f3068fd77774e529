import { defineApp, fixed, type NewEvent, startRuntime, stream, subscribe } from '@eddy/core'
import { expect, test } from 'vitest'
import { SimWorld } from '../../src/sim/sim-world.ts'

/** `npm run burst` plays the whole of 50,000. */
const BURST = Number(process.env.EDDY_BURST_EVENTS ?? 1_500)
const NEW_PER_SECOND = 100
const SECONDS = 12
const RETRY_DELAY_MS = 60_000
const BUDGET = { share: 0.2, minPerSecond: 50, expireMs: 10_000 }

function eventsOf(name: string, first: number, count: number): NewEvent[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `${name}-${first + index}`,
    key: `${name}-${first + index}`,
    data: {},
  }))
}

test(`${BURST} failed events that are all due keep no new event waiting, and are retried within their budget (I4, I5)`, async () => {
  const world = new SimWorld({ seed: 1, traceLength: 0 })
  const { clock } = world
  const starts: { readonly id: string; readonly attempt: number; readonly atMs: number }[] = []
  const payments = stream('payments', { shards: 1 })
  const app = defineApp({
    subscriptions: [
      subscribe('charge', payments, {
        concurrency: 16,
        failure: { retry: fixed({ delayMs: RETRY_DELAY_MS, maxAttempts: 1_000, jitter: 'none' }) },
        protect: { retryBudget: BUDGET },
        handle: async (event, ctx) => {
          starts.push({ id: event.id, attempt: ctx.attempt, atMs: clock.monotonicMs() })
          await clock.sleep(10)
          if (event.id.startsWith('burst')) throw new Error('the bank is down')
        },
      }),
    ],
  })
  const runtime = await clock.settle(startRuntime({ engine: world.boot(), app }))
  for (let first = 0; first < BURST; first += 500)
    await clock.settle(runtime.append('payments', eventsOf('burst', first, Math.min(500, BURST - first))))
  while (starts.length < BURST) await clock.advance(1_000)
  // From the first failure's due time on, until the last one is due and more.
  await clock.advance((starts[0]?.atMs ?? 0) + RETRY_DELAY_MS - clock.monotonicMs())
  const appendedAtMs = new Map<string, number>()
  const beganMs = clock.monotonicMs()
  for (let tenth = 0; tenth < SECONDS * 10; tenth += 1) {
    const events = eventsOf('new', (tenth * NEW_PER_SECOND) / 10, NEW_PER_SECOND / 10)
    for (const { id } of events) appendedAtMs.set(id as string, clock.monotonicMs())
    runtime.append('payments', events).catch(() => {})
    await clock.advance(100)
  }
  await clock.advance(2_000)

  const waits = starts.flatMap(({ id, attempt, atMs }) => {
    const since = attempt === 1 ? appendedAtMs.get(id) : undefined
    return since === undefined ? [] : [atMs - since]
  })
  waits.sort((a, b) => a - b)
  const p99Ms = waits[Math.floor(waits.length * 0.99)] as number
  const retries = starts.filter(({ attempt }) => attempt > 1).map(({ atMs }) => atMs)
  const firsts = starts.filter(({ attempt }) => attempt === 1).map(({ atMs }) => atMs)
  if (BURST >= 50_000) console.log({ p99Ms, maxMs: waits.at(-1), retries: retries.length })
  expect(waits).toHaveLength(SECONDS * NEW_PER_SECOND)
  expect(p99Ms).toBeLessThanOrEqual(1_000)
  // Never more than was paid for, over any second; and of what was paid for, most is used.
  for (const endMs of retries.filter((_, index) => index % 20 === 0)) {
    const within = retries.filter((atMs) => atMs > endMs - 1_000 && atMs <= endMs).length
    const paying = firsts.filter((atMs) => atMs > endMs - 12_000 && atMs <= endMs).length
    const floor = BUDGET.minPerSecond * 1.1 + 1
    // A retry is claimed between its permission and its start: as many may come together as handlers run.
    expect(within).toBeLessThanOrEqual(BUDGET.share * paying + floor + 16)
  }
  const spanSeconds = (clock.monotonicMs() - beganMs) / 1_000
  const paid = BUDGET.share * NEW_PER_SECOND * SECONDS + BUDGET.minPerSecond * spanSeconds
  expect(retries.length).toBeGreaterThanOrEqual(paid * 0.9)
  await clock.settle(runtime.stop({ timeoutMs: 1_000 }))
})
