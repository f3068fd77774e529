import { describe, expect, test } from 'vitest'
import { LivePolicy } from '../../src/live-policy/live-policy.ts'
import type { PolicyFile } from '../../src/live-policy/policy-parts.ts'
import { PolicyStore } from '../../src/live-policy/policy-store.ts'
import type { SubscriptionPolicy } from '../../src/model/policy.ts'
import type { PolicyPath, PolicyState, PolicyValue, RejectedPart } from '../../src/model/policy-state.ts'
import { subscriptionPolicy } from '../../src/policies/subscription-policy.ts'
import type { Engine } from '../../src/ports/engine.ts'
import { world } from '../operate/support/fixture.ts'

const classify = (): undefined => undefined
const FILE = subscriptionPolicy({
  concurrency: 8,
  failure: { blocks: 'key', exhausted: 'hold', maxAgeMs: 60_000, classify },
})
// biome-ignore lint/suspicious/noThenProperty: a word of a rule
const DROP_LONG = { message: 'x'.repeat(70_000), then: 'drop' }
const ANA = { by: 'ana' }

interface Lived {
  readonly policy: LivePolicy
  readonly applied: { readonly policy: SubscriptionPolicy; readonly version: number }[]
  readonly rejected: RejectedPart[]
}

function living(engine: Engine, file: PolicyFile = FILE): Lived {
  const applied: Lived['applied'] = []
  const rejected: RejectedPart[] = []
  const policy = new LivePolicy({
    subscription: 'billing',
    file,
    store: new PolicyStore(engine, 'billing'),
    nowMs: () => engine.clock.now(),
    persist: (_what, step) => step(),
    apply: (changed, version) => void applied.push({ policy: changed, version }),
    onRejected: (parts) => void rejected.push(...parts),
  })
  return { policy, applied, rejected }
}

function partOf(state: PolicyState, path: PolicyPath): PolicyValue | undefined {
  return state.parts.find((part) => part.path === path)?.value
}

describe('what may be changed', () => {
  test('a path, one inside a part, and several at a time', async () => {
    const { policy, applied } = living(world().engine)
    const result = await policy.change(
      { set: { 'failure.retry.maxAttempts': 5, concurrency: 2, 'protect.breaker.window': 50 } },
      ANA,
    )
    expect(result.version).toBe(1)
    expect(result.changes.map((change) => [change.path, change.beforeFrom, change.afterFrom])).toEqual([
      ['concurrency', 'file', 'override'],
      ['failure.retry', 'file', 'override'],
      ['protect.breaker', 'file', 'override'],
    ])
    expect(applied[0]?.policy).toMatchObject({
      concurrency: 2,
      failure: { blocks: 'key', retry: { kind: 'exponential', maxAttempts: 5, initialMs: 200 } },
      protect: { breaker: { window: 50, ratio: 0.5 } },
    })
    expect(applied[0]?.policy.failure.classify).toBe(classify)
  })

  test('no longer time for a handler than the queues can hide a message for', async () => {
    const { policy } = living(world().engine, { ...FILE, maxTimeoutMs: 60_000 })
    await expect(policy.change({ set: { timeoutMs: 60_001 } }, ANA)).rejects.toThrow(
      'timeoutMs: expected at most 60000, since the queues of this engine',
    )
    await expect(policy.change({ set: { timeoutMs: 60_000 } }, ANA)).resolves.toMatchObject({ version: 1 })
  })

  test('a retry policy of another kind, with its defaults', async () => {
    const { policy, applied } = living(world().engine)
    await policy.change({ set: { 'failure.retry': { kind: 'fixed', delayMs: 500 } } }, ANA)
    expect(applied[0]?.policy.failure.retry).toEqual({
      kind: 'fixed',
      maxAttempts: 8,
      delayMs: 500,
      jitter: 'none',
    })
    await policy.change({ set: { 'failure.retry': { kind: 'list', delaysMs: [10, 20] } } }, ANA)
    expect(applied[1]?.policy.failure.retry).toMatchObject({ kind: 'list', maxAttempts: 3 })
    await policy.change({ set: { 'failure.retry': { kind: 'linear', initialMs: 30 } } }, ANA)
    expect(applied[2]?.policy.failure.retry).toMatchObject({ initialMs: 30, stepMs: 30 })
  })

  test('null takes a limit away, also one of the application file', async () => {
    const { policy, applied } = living(world().engine)
    await policy.change({ set: { 'failure.maxAgeMs': null } }, ANA)
    expect(applied[0]?.policy.failure.maxAgeMs).toBeUndefined()
    expect(partOf(await policy.state(), 'failure.maxAgeMs')).toBeNull()
  })

  test('the whole of it, nested or by path; unset by part, by group or all', async () => {
    const { policy } = living(world().engine)
    await policy.change({ set: { concurrency: 2 } }, ANA)
    await policy.change({ replace: { failure: { blocks: 'shard' }, 'failure.immediate': 1 } }, ANA)
    const overridden = (state: PolicyState): string[] =>
      state.parts.filter((part) => part.from === 'override').map((part) => part.path)
    expect(overridden(await policy.state())).toEqual(['failure.blocks', 'failure.immediate'])
    await policy.change({ set: { timeoutMs: 5 }, unset: ['failure.blocks'] }, ANA)
    expect(overridden(await policy.state())).toEqual(['timeoutMs', 'failure.immediate'])
    await policy.change({ unset: ['failure'] }, ANA)
    expect(overridden(await policy.state())).toEqual(['timeoutMs'])
    const { version, changes } = await policy.change({ unset: ['all'] }, ANA)
    expect([version, changes]).toMatchObject([5, [{ path: 'timeoutMs', after: 30_000, afterFrom: 'file' }]])
  })

  test.each([
    [{ 'failure.retry.maxAttempts': 0 }, 'failure.retry.maxAttempts: expected an integer from 1'],
    [
      { 'failure.retry.factr': 2 },
      'failure.retry.factr: expected no option of this name (did you mean "factor"?)',
    ],
    [{ 'failure.retry': { kind: 'sometimes' } }, 'failure.retry: expected a policy of'],
    [{ 'failure.blocks': 'nothing' }, 'failure.exhausted: expected one of'],
    [{ concurrency: null }, 'concurrency: expected an integer from 1 to 10000'],
    [{ concurency: 4 }, 'concurency: expected a part of the policy (did you mean "concurrency"?)'],
    [{ 'failure.classify': 'x' }, 'failure.classify: expected plain data'],
    [{ failure: 3 }, 'failure: expected an object of its parts'],
    [{ 'failure.blocks.key': 1 }, 'failure.blocks.key: expected a path that ends at a member of an object'],
    [{ 'failure.retry.a.b': 1 }, 'failure.retry.a.b: expected a path that ends at a member of an object'],
    [{ 'failure.rules': [DROP_LONG] }, 'failure.rules[0].message'],
    [
      { 'failure.rules': Array(90).fill({ ...DROP_LONG, message: 'x'.repeat(1_000) }) },
      'policy: expected at most 65536 characters of JSON',
    ],
  ])('%j is refused by its path, and nothing changes', async (set, message) => {
    const { policy, applied } = living(world().engine)
    await expect(policy.change({ set }, ANA)).rejects.toThrow(message)
    expect(applied).toEqual([])
    expect((await policy.state()).version).toBe(0)
  })

  test('unset names whole parts', async () => {
    const { policy } = living(world().engine)
    await expect(policy.change({ unset: ['failure.retry.maxAttempts'] }, ANA)).rejects.toThrow(
      'a whole part: failure.retry',
    )
  })
})

describe('versions', () => {
  test('what differs in nothing makes none', async () => {
    const { policy } = living(world().engine)
    await policy.change({ set: { concurrency: 2 } }, ANA)
    expect(await policy.change({ set: { concurrency: 2 } }, ANA)).toMatchObject({ version: 1, changes: [] })
  })

  test('a value that the file has too is a change: it stays when the file is edited', async () => {
    const { engine } = world()
    await living(engine).policy.change({ set: { concurrency: 8 } }, ANA)
    const later = living(engine, { ...FILE, concurrency: 20 })
    await later.policy.load()
    expect(partOf(await later.policy.state(), 'concurrency')).toBe(8)
  })

  test('a dry run shows the difference and changes nothing', async () => {
    const { policy, applied } = living(world().engine)
    const result = await policy.change({ set: { concurrency: 2 } }, { ...ANA, dryRun: true })
    expect(result).toMatchObject({ version: 0, dryRun: true, changes: [{ before: 8, after: 2 }] })
    expect(applied).toEqual([])
    expect((await policy.state()).history).toEqual([])
  })

  test('one that was not shown is not changed over', async () => {
    const { policy } = living(world().engine)
    await policy.change({ set: { concurrency: 2 } }, { ...ANA, expectVersion: 0 })
    await expect(policy.change({ set: { concurrency: 3 } }, { ...ANA, expectVersion: 0 })).rejects.toThrow(
      'expected version 0, it is 1 by now',
    )
  })

  test('what a former process wrote late is not written over, and counts', async () => {
    const { engine } = world()
    const [mine, other] = [living(engine), living(engine)]
    await other.policy.change({ set: { concurrency: 2 } }, ANA)
    await expect(mine.policy.change({ set: { concurrency: 3 } }, ANA)).rejects.toThrow(
      'expected version 0, it is 1 by now',
    )
    expect(mine.applied).toMatchObject([{ version: 1, policy: { concurrency: 2 } }])
    expect(await mine.policy.change({ set: { concurrency: 3 } }, ANA)).toMatchObject({ version: 2 })
  })

  test('who, when, before and after stand in the history, newest first, and at each part', async () => {
    const { engine, clock } = world()
    const { policy } = living(engine)
    await policy.change({ set: { concurrency: 2 } }, { by: 'ana', note: 'bank is slow' })
    await policy.change({ set: { concurrency: 4, timeoutMs: 10 } }, { by: 'ben' })
    const { history, parts } = await policy.state()
    expect(history.map(({ version, by, note }) => [version, by, note])).toEqual([
      [2, 'ben', undefined],
      [1, 'ana', 'bank is slow'],
    ])
    expect(history[0]?.changes[0]).toMatchObject({ path: 'concurrency', before: 2, after: 4 })
    expect(parts[0]).toMatchObject({
      value: 4,
      from: 'override',
      file: 8,
      version: 2,
      by: 'ben',
      atMs: clock.now(),
    })
  })

  test('the last 100 changes are kept (I6)', async () => {
    const { policy } = living(world().engine)
    for (let count = 1; count <= 130; count += 1) await policy.change({ set: { timeoutMs: count } }, ANA)
    const { history, version } = await policy.state()
    expect([version, history.length, history.at(-1)?.version]).toEqual([130, 100, 31])
  })
})

describe('a restart', () => {
  test('finds the changes, and puts a change into the history that the last process left out', async () => {
    const { engine } = world()
    await living(engine).policy.change({ set: { concurrency: 2 } }, ANA)
    await engine.table.delete({ partition: 'policy-change/billing', sort: '000000000001' }, 'any')
    const later = living(engine)
    await later.policy.load()
    expect(later.applied).toMatchObject([{ version: 1, policy: { concurrency: 2 } }])
    expect((await later.policy.state()).history).toMatchObject([{ version: 1, by: 'ana' }])
  })

  test('leaves out what the application file does not allow any more, and keeps the rest', async () => {
    const { engine } = world()
    await living(engine).policy.change(
      { set: { 'failure.exhausted': 'dead-letter-key', concurrency: 2 } },
      ANA,
    )
    const edited = subscriptionPolicy({ failure: { blocks: 'nothing' } })
    const later = living(engine, edited)
    await later.policy.load()
    expect(later.applied[0]?.policy).toMatchObject({
      concurrency: 2,
      failure: { blocks: 'nothing', exhausted: 'dead-letter' },
    })
    expect(later.rejected).toMatchObject([{ path: 'failure.exhausted', value: 'dead-letter-key' }])
    expect((await later.policy.state()).rejected[0]?.reason).toContain('failure.exhausted: expected one of')
    // The next change clears it away.
    await later.policy.change({ unset: ['failure.exhausted'] }, ANA)
    expect((await later.policy.state()).rejected).toEqual([])
  })

  test('an override that fits again counts again', async () => {
    const { engine } = world()
    await living(engine).policy.change({ set: { 'failure.exhausted': 'dead-letter-key' } }, ANA)
    await living(engine, subscriptionPolicy({})).policy.load()
    const later = living(engine)
    await later.policy.load()
    expect(later.applied[0]?.policy.failure.exhausted).toBe('dead-letter-key')
  })
})
