import {
  defineApp,
  fixed,
  type HandlerContext,
  type LedgerItem,
  type NewEvent,
  stream,
  subscribe,
} from '@eddy/core'
import { expect, test } from 'vitest'
import { openHarness } from '../support/one-subscription.ts'

/** `npm run test:policy` plays 100,000. */
const EVENTS = Number(process.env.EDDY_POLICY_EVENTS ?? 3_000)
const KEYS = 97
const BATCH = 250

/** One after each of nine parts of the run. */
const CHANGES: readonly Readonly<Record<string, unknown>>[] = [
  { 'failure.retry': { kind: 'fixed', delayMs: 40, maxAttempts: 6 } },
  { 'failure.blocks': 'shard' },
  { concurrency: 3, 'failure.immediate': 1 },
  { 'failure.blocks': 'key', concurrency: 32 },
  { 'failure.retry.delayMs': 5, 'failure.immediate': 0 },
  { 'failure.blocks': 'shard', 'failure.rules': [{ error: 'Error', retry: fixed({ delayMs: 1 }) }] },
  { 'failure.blocks': 'nothing', 'failure.exhausted': 'dead-letter' },
  { 'failure.blocks': 'key', 'failure.exhausted': 'hold', 'failure.rules': [] },
]

test(`a policy that changes during ${EVENTS} events loses none, keeps the order of keys, and is seen in ledger and audit`, async () => {
  const watch = new Watch()
  const work = subscribe('work', stream('events', { shards: 4 }), {
    concurrency: 16,
    failure: { blocks: 'key', exhausted: 'hold', retry: fixed({ delayMs: 20, maxAttempts: 5 }) },
    handle: ({ data }, ctx) => watch.handle((data as { n: number }).n, ctx),
  })
  const h = await openHarness(defineApp({ subscriptions: [work] }))
  const partOf = (n: number): number => Math.floor((n * (CHANGES.length + 1)) / EVENTS)
  let changed = 0
  for (let from = 0; from < EVENTS; from += BATCH) {
    const events: NewEvent[] = []
    for (let n = from; n < Math.min(EVENTS, from + BATCH); n += 1)
      events.push({ id: `e${n}`, key: `k${n % KEYS}`, data: { n } })
    await h.append('events', events)
    if (partOf(from) === changed) continue
    const set = CHANGES[changed] as Readonly<Record<string, unknown>>
    // Between asking and answer either policy may count.
    if (set['failure.blocks'] === 'nothing') watch.isFree = true
    await h.operations.changePolicy('work', { set }, { by: 'ana' })
    watch.isFree =
      set['failure.blocks'] === 'nothing' || (watch.isFree && set['failure.blocks'] === undefined)
    changed += 1
    await h.advance('500ms')
  }
  await h.settle()

  expect(watch.violations).toEqual([])
  expect(watch.handled.size).toBe(EVENTS)
  const failed = await h.resolved('work')
  expect(failed.length).toBeGreaterThanOrEqual(EVENTS / 50 - 1)
  expect(await h.failures({ status: 'dead' })).toEqual([])
  expect(await h.failures({ status: 'held' })).toEqual([])
  // Each attempt names the policy that decided on it: never an older one than the attempt before.
  for (const { history } of failed) {
    const versions = history.map((attempt) => attempt.policyVersion ?? 0)
    expect(versions).toEqual([...versions].sort((a, b) => a - b))
  }
  expect([...versionsOf(failed)].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
  const audit = (await h.operations.listAudit()).filter((entry) => entry.action === 'policy').reverse()
  expect(audit).toHaveLength(CHANGES.length)
  expect(audit[1]).toMatchObject({
    by: 'ana',
    target: 'work',
    changes: [{ path: 'failure.blocks', before: 'key', after: 'shard', beforeFrom: 'file' }],
  })
}, 240_000)

/** What the handler sees: each event, and whether a later one of its key came before it. */
class Watch {
  readonly handled: Set<number> = new Set()
  readonly violations: string[] = []
  /** Nothing blocks, or may not: what is called meanwhile was promised no order. */
  isFree = false
  readonly #free = new Set<number>()
  readonly #lastOfKey = new Map<number, number>()

  handle(n: number, ctx: HandlerContext): void {
    if (this.isFree) this.#free.add(n)
    // Every fiftieth event fails twice.
    if (n % 50 === 7 && ctx.attempt <= 2) throw new Error('not yet')
    if (this.handled.has(n)) this.violations.push(`e${n} was handled twice`)
    this.handled.add(n)
    if (this.#free.has(n)) return
    const last = this.#lastOfKey.get(n % KEYS) ?? -1
    if (last > n) this.violations.push(`e${n} was handled after e${last}`)
    else this.#lastOfKey.set(n % KEYS, n)
  }
}

function versionsOf(items: readonly LedgerItem[]): Set<number> {
  return new Set(items.flatMap((item) => item.history.map((attempt) => attempt.policyVersion ?? 0)))
}
