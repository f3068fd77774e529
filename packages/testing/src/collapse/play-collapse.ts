import {
  defineApp,
  exponential,
  type NewEvent,
  type ProtectOptions,
  type SubscriptionStatus,
  startRuntime,
  stream,
  subscribe,
} from '@eddy/core'
import { SimWorld } from '../sim/sim-world.ts'
import { Downstream } from './downstream.ts'

/** What one second looked like. */
export interface Second {
  readonly offered: number
  /** Handled for the first time. */
  readonly handled: number
  /** Calls that were not the first of their event. */
  readonly retries: number
  /** Calls of the downstream under way, on average. */
  readonly inFlight: number
  readonly breaker: 'closed' | 'open' | 'probing' | 'ramping'
}

export interface Collapse {
  readonly seconds: readonly Second[]
  /** At the end. */
  readonly appended: number
  readonly handled: number
  readonly dead: number
  readonly lagRecords: number
  readonly retrying: number
}

export interface CollapseOptions {
  readonly seed: number
  readonly protect: ProtectOptions | undefined
}

/** Offered all the time, a seventh of what the downstream can do. */
export const OFFERED_PER_SECOND = 60
export const LENGTH_SECONDS = 100
export const HICCUP_AT_SECOND = 20
export const HICCUP_MS = 4_000

/** Of the chart. */
export const COLLAPSE_SEED = 1

/** What the protected side of the chart has. */
export const PROTECTION: ProtectOptions = {
  retryBudget: { share: 0.2, minPerSecond: 5 },
  breaker: { window: 50, ratio: 0.5, pauseMs: 2_000, rampMs: 30_000 },
}

/**
 * A subscription at work on a downstream that stops answering for a few seconds, on the virtual clock. Same seed, same
 * seconds. No jitter: it would tie the outcome to the order in which the code under test asks for chance.
 */
export async function playCollapse({ seed, protect }: CollapseOptions): Promise<Collapse> {
  const world = new SimWorld({ seed, shuffleTies: false, traceLength: 0 })
  const { clock } = world
  const downstream = new Downstream(clock, seed)
  const handledIds = new Set<string>()
  let retries = 0
  const payments = stream('payments', { shards: 1 })
  const app = defineApp({
    subscriptions: [
      subscribe('charge', payments, {
        concurrency: 64,
        timeoutMs: 10_000,
        failure: { retry: exponential({ maxAttempts: 8, initialMs: 500, maxMs: 8_000, jitter: 'none' }) },
        ...(protect !== undefined && { protect }),
        handle: async (event, ctx) => {
          if (ctx.attempt > 1) retries += 1
          await downstream.call()
          handledIds.add(event.id)
        },
      }),
    ],
  })
  const runtime = await clock.settle(startRuntime({ engine: world.boot(), app }))
  const seconds: Second[] = []
  const show = (): Promise<SubscriptionStatus> => clock.settle(runtime.operations.showSubscription('charge'))
  for (let second = 0; second < LENGTH_SECONDS; second += 1) {
    const before = { handled: handledIds.size, retries }
    if (second === HICCUP_AT_SECOND) downstream.freeze(HICCUP_MS)
    for (let part = 0; part < 10; part += 1) {
      const first = (second * OFFERED_PER_SECOND * 10 + part * OFFERED_PER_SECOND) / 10
      runtime.append('payments', eventsFrom(first, OFFERED_PER_SECOND / 10)).catch(() => {})
      await clock.advance(100)
    }
    const { protection } = await show()
    seconds.push({
      offered: OFFERED_PER_SECOND,
      handled: handledIds.size - before.handled,
      retries: retries - before.retries,
      inFlight: downstream.averageInFlight(1_000),
      breaker: protection?.state ?? 'closed',
    })
  }
  const { dead, lagRecords, retrying } = await show()
  const result = { seconds, appended: LENGTH_SECONDS * OFFERED_PER_SECOND, handled: handledIds.size }
  await clock.settle(runtime.stop({ timeoutMs: 1_000 }))
  return { ...result, dead, lagRecords, retrying }
}

/** Each of a key of its own. */
function eventsFrom(first: number, count: number): NewEvent[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `payment-${first + index}`,
    key: `account-${first + index}`,
    data: {},
  }))
}
