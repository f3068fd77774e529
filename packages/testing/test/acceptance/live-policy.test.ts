import { defineApp, type FailureOptions, fixed, type PolicyState, subscribe } from '@eddy/core'
import { describe, expect, test } from 'vitest'
import type { Harness } from '../../src/index.ts'
import { event, eventStream, oneSubscription, openHarness } from '../support/one-subscription.ts'

const QUICK = fixed({ maxAttempts: 50, delayMs: 1_000 })
const KEY: FailureOptions = { blocks: 'key', exhausted: 'hold', retry: QUICK }
const BY = { by: 'ana' }

const POLICIES = {
  nothing: { 'failure.blocks': 'nothing', 'failure.exhausted': 'dead-letter' },
  key: { 'failure.blocks': 'key', 'failure.exhausted': 'hold' },
  shard: { 'failure.blocks': 'shard', 'failure.exhausted': 'hold' },
} as const
type Blocks = keyof typeof POLICIES

async function change(h: Harness, set: Readonly<Record<string, unknown>>): Promise<void> {
  await h.operations.changePolicy('work', { set }, BY)
}

describe('a policy that is changed while it counts', () => {
  test('the next decision is made by it, its attempt names it, and the audit tells both values', async () => {
    const h = await openHarness(oneSubscription({ retry: QUICK }))
    h.fail('work')
    await h.append('events', event('a', 'e1'))
    await h.advance('1500ms')
    await h.operations.changePolicy(
      'work',
      { set: { 'failure.retry.maxAttempts': 3 } },
      { by: 'ana', note: 'enough' },
    )
    await h.advance('1s')
    const [dead] = await h.deadLetters('work')
    expect(dead).toMatchObject({ attempts: 3, reason: '3 of 3 attempts failed' })
    expect(dead?.history.map((attempt) => attempt.policyVersion)).toEqual([undefined, undefined, 1])
    expect((await h.operations.listAudit())[0]).toMatchObject({
      by: 'ana',
      action: 'policy',
      target: 'work',
      note: 'enough',
      changes: [{ path: 'failure.retry', before: { maxAttempts: 50 }, after: { maxAttempts: 3 } }],
    })
  })

  test('a handler that runs for long is decided on by the policy at its end', async () => {
    const h = await openHarness(oneSubscription({ retry: QUICK }))
    h.fail('work')
    h.delay('work', { by: '10s' })
    await h.append('events', event('a', 'e1'))
    await h.advance('1s')
    await change(h, { 'failure.retry.maxAttempts': 1 })
    await h.settle()
    expect(await h.deadLetters('work')).toMatchObject([{ attempts: 1, history: [{ policyVersion: 1 }] }])
  })

  test('more handlers run at once; fewer, once those that run are done', async () => {
    const h = await openHarness(oneSubscription({}, { concurrency: 2 }))
    h.delay('work', { by: '10s' })
    await h.append(
      'events',
      Array.from({ length: 12 }, (_, index) => event(`k${index}`, `e${index}`)),
    )
    await h.advance('1s')
    expect(h.calls('work')).toHaveLength(2)
    await change(h, { concurrency: 6 })
    await h.advance('1ms')
    expect(h.calls('work')).toHaveLength(6)
    await change(h, { concurrency: 1 })
    await h.advance('9100ms')
    expect(h.calls('work')).toHaveLength(6)
    await h.advance('1s')
    expect(h.calls('work')).toHaveLength(7)
  })

  test('a time limit counts for the next call', async () => {
    const h = await openHarness(oneSubscription({ retry: fixed({ maxAttempts: 2, delayMs: 0 }) }))
    await change(h, { timeoutMs: 500 })
    h.delay('work', { by: '1s' })
    await h.append('events', event('a', 'e1'))
    await h.settle()
    expect(await h.deadLetters('work')).toMatchObject([{ lastError: { type: 'HandlerTimeoutError' } }])
  })

  test('it survives a crash, and a file that was edited; what does not fit that any more is told', async () => {
    const h = await openHarness(oneSubscription(KEY, { concurrency: 4 }))
    await change(h, { concurrency: 2, 'failure.exhausted': 'dead-letter-key' })
    await h.crash()
    const after: PolicyState = await h.operations.showPolicy('work')
    expect(
      after.parts.filter((part) => part.from === 'override').map((part) => [part.path, part.value]),
    ).toEqual([
      ['concurrency', 2],
      ['failure.exhausted', 'dead-letter-key'],
    ])
    await h.restart({ app: oneSubscription({ retry: QUICK }) })
    const edited = await h.operations.showPolicy('work')
    expect(edited.rejected).toMatchObject([{ path: 'failure.exhausted' }])
    expect(await h.operations.showSubscription('work')).toMatchObject({
      blocks: 'nothing',
      exhausted: 'dead-letter',
      concurrency: 2,
      policyVersion: 1,
    })
    expect(h.notices).toMatchObject([{ kind: 'policy-rejected', subscription: 'work' }])
  })
})

describe('`blocks` is changed while events wait', () => {
  const changes: [Blocks, Blocks][] = [
    ['key', 'nothing'],
    ['key', 'shard'],
    ['shard', 'key'],
    ['shard', 'nothing'],
    ['nothing', 'key'],
    ['nothing', 'shard'],
  ]

  test.each(changes)('from %s to %s: nothing is lost, each key keeps its order', async (from, to) => {
    const h = await waiting(from)
    await change(h, POLICIES[to])
    await h.append('events', [event('bad', 'bad3'), event('good', 'good2')])
    await h.advance('5s')
    h.heal('work')
    await h.settle()
    expectAllHandled(h)
    // While nothing blocks, a key's later events pass the one that failed.
    const isOrdered = from !== 'nothing' && to !== 'nothing'
    if (isOrdered) expect(h.order('work', 'bad')).toEqual(['bad1', 'bad2', 'bad3'])
  })

  test.each(changes)('from %s to %s by an edited application file and a restart', async (from, to) => {
    const h = await waiting(from)
    const app = oneSubscription({ ...failureOf(to), retry: QUICK } as FailureOptions)
    await h.restart({ app })
    await h.append('events', [event('bad', 'bad3'), event('good', 'good2')])
    await h.advance('5s')
    h.heal('work')
    await h.settle()
    expectAllHandled(h)
    if (from !== 'nothing' && to !== 'nothing')
      expect(h.order('work', 'bad')).toEqual(['bad1', 'bad2', 'bad3'])
  })

  test('a held shard is let go at once: the event that failed holds its key, others go on', async () => {
    const h = await waiting('shard')
    expect(h.order('work', 'good')).toEqual([])
    await change(h, POLICIES.key)
    await h.advance('500ms')
    expect(h.order('work', 'good')).toEqual(['good1'])
    expect(await h.operations.showSubscription('work')).toMatchObject({ heldKeys: 1, blocks: 'key' })
  })

  test('with nothing blocking, new events of a held key go on; those that wait keep their order', async () => {
    const h = await waiting('key')
    await change(h, POLICIES.nothing)
    h.heal('work')
    h.fail('work', { eventId: 'bad1' })
    await h.append('events', event('bad', 'bad3'))
    await h.advance('3s')
    expect(h.order('work', 'bad')).toEqual(['bad3'])
    h.heal('work')
    await h.settle()
    expect(h.order('work', 'bad')).toEqual(['bad3', 'bad1', 'bad2'])
  })

  test('a shard waits for what an earlier policy left in the key of its next event', async () => {
    const h = await waiting('key')
    await change(h, POLICIES.shard)
    await h.append('events', [event('bad', 'bad3'), event('good', 'good2')])
    await h.advance('3s')
    expect(h.order('work', 'good')).toEqual(['good1'])
    expect((await h.operations.showSubscription('work')).shards[0]?.state).toBe('blocked')
    h.heal('work')
    await h.settle()
    expect(h.order('work', 'bad')).toEqual(['bad1', 'bad2', 'bad3'])
    expect(h.order('work', 'good')).toEqual(['good1', 'good2'])
  })

  test('an event that failed while nothing blocked is given up alone, whatever the policy says by then', async () => {
    const h = await openHarness(oneSubscription({ retry: fixed({ maxAttempts: 3, delayMs: 1_000 }) }))
    h.fail('work', { eventId: 'e1' })
    await h.append('events', [event('a', 'e1'), event('a', 'e2')])
    await h.advance('500ms')
    await change(h, { 'failure.blocks': 'key', 'failure.exhausted': 'dead-letter-key' })
    await h.append('events', event('a', 'e3'))
    await h.settle()
    expect(await h.deadLetters('work')).toMatchObject([{ eventId: 'e1', attempts: 3 }])
    expect(h.order('work', 'a')).toEqual(['e2', 'e3'])
  })
})

/** `bad1` failed under this policy, `bad2` and `good1` came after it. */
async function waiting(blocks: Blocks): Promise<Harness> {
  const app = defineApp({
    subscriptions: [
      subscribe('work', eventStream(1), {
        failure: { ...failureOf(blocks), retry: QUICK } as FailureOptions,
        handle: () => {},
      }),
    ],
  })
  const h = await openHarness(app)
  h.fail('work', { key: 'bad' })
  await h.append('events', [event('bad', 'bad1'), event('bad', 'bad2'), event('good', 'good1')])
  await h.advance('2500ms')
  return h
}

function failureOf(blocks: Blocks): object {
  return { blocks, exhausted: POLICIES[blocks]['failure.exhausted'] }
}

function expectAllHandled(h: Harness): void {
  expect([...h.order('work', 'bad')].sort()).toEqual(['bad1', 'bad2', 'bad3'])
  expect(h.order('work', 'good')).toEqual(['good1', 'good2'])
}
