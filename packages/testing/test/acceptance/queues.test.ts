import { fixed, type NewMessage } from '@eddy/core'
import { describe, expect, test } from 'vitest'
import { type HandlerCall, type Harness, quietFaults } from '../../src/index.ts'
import { grouped, oneQueue, task } from '../support/one-queue.ts'
import { openHarness } from '../support/one-subscription.ts'

const MINUTE_MS = 60_000
const retry = fixed({ delayMs: 10 * MINUTE_MS, maxAttempts: 4 })

describe('queues', () => {
  test('messages without a group run beside each other, and what failed is retried out of the way', async () => {
    const h = await openHarness(oneQueue({ retry }))
    h.fail('work', { eventId: 't1', times: 2 })
    const outcomes = await h.send('tasks', [task('t1'), task('t2'), task('t3')])
    expect(outcomes.map((outcome) => outcome.ok && outcome.id)).toEqual(['t1', 't2', 't3'])
    await h.advance('1m')
    expect(h.calls('work').map((call) => call.eventId)).toEqual(['t1', 't2', 't3'])
    expect(await h.retrying('work')).toMatchObject([{ eventId: 't1', stream: 'queue/tasks', attempts: 1 }])
    await h.settle()
    expect(h.attempts('work', 't1')).toBe(3)
    const [item] = await h.resolved('work')
    expect(item?.history).toHaveLength(3)
    expect(await h.operations.showQueue('tasks')).toMatchObject({ messages: 0 })
  })

  test('scenario 1 (queue): while A1 waits for its retry, A2 never runs and B flows (I3, I4)', async () => {
    const h = await openHarness(
      oneQueue({ blocks: 'key', exhausted: 'dead-letter', retry }, { grouped: true }),
    )
    h.fail('work', { eventId: 'a1', times: 2 })
    await h.send('tasks', [grouped('a1'), grouped('a2'), grouped('b1')])
    for (let minute = 0; minute < 20; minute += 1) {
      await h.send('tasks', [grouped(`a${minute + 3}`), grouped(`b${minute + 2}`)])
      await h.advance('30s')
      expect(h.order('work', 'b')).toHaveLength(minute + 2)
      expect(h.order('work', 'a')).toEqual([])
      await h.advance('29s')
    }
    await h.advance('1m')
    expect(h.order('work', 'a')).toEqual(Array.from({ length: 22 }, (_, index) => `a${index + 1}`))
    expect(h.attempts('work', 'a1')).toBe(3)
    expect(h.attempts('work', 'a2')).toBe(1)
  })

  test('scenario 1 (queue): with blocks: nothing a group goes on at once, in order, without its failed message', async () => {
    const h = await openHarness(oneQueue({ blocks: 'nothing', retry }, { grouped: true }))
    h.fail('work', { eventId: 'a1', times: 1 })
    await h.send('tasks', ['a1', 'a2', 'a3'].map(grouped))
    await h.advance('1m')
    expect(h.order('work', 'a')).toEqual(['a2', 'a3'])
    await h.settle()
    expect(h.order('work', 'a')).toEqual(['a2', 'a3', 'a1'])
  })

  test('scenario 2 (queue): a retry, and a delayed message, is not due a second early, and due after (I5)', async () => {
    const h = await openHarness(
      oneQueue({ retry: fixed({ delayMs: MINUTE_MS, maxAttempts: 2, jitter: 'none' }) }),
    )
    h.fail('work', { eventId: 'failing', times: 1 })
    const at = new Date(h.clock.now() + 5 * MINUTE_MS)
    await h.send('tasks', [task('failing'), task('delayed', { delayMs: 2 * MINUTE_MS }), task('at', { at })])
    const runs = (): string[] => h.calls('work').map((call) => call.eventId)
    await h.advance('59s')
    expect(runs()).toEqual(['failing'])
    await h.advance('2s')
    expect(runs()).toEqual(['failing', 'failing'])
    await h.advance('58s')
    expect(runs()).not.toContain('delayed')
    await h.advance('2s')
    expect(runs()).toContain('delayed')
    await h.advance('178s')
    expect(runs()).not.toContain('at')
    await h.advance('2s')
    expect(runs()).toEqual(['failing', 'failing', 'delayed', 'at'])
  })

  test('scenario 3 (queue): an exhausted group stays blocked and listed; dropping its message unblocks it (I3, I9)', async () => {
    const h = await openHarness(oneQueue({ blocks: 'key', exhausted: 'hold', retry }, { grouped: true }))
    h.fail('work', { key: 'a' })
    await h.send('tasks', ['a1', 'a2', 'b1'].map(grouped))
    await h.advance('3h')
    h.heal('work')
    await h.advance('1h')
    expect([h.attempts('work', 'a1'), h.attempts('work', 'a2')]).toEqual([4, 0])
    expect(await h.operations.showSubscription('work')).toMatchObject({ heldKeys: 1, held: 2 })
    expect(await h.operations.dropFailures({ subscription: 'work', status: 'held' })).toMatchObject({
      changed: 1,
    })
    await h.settle()
    expect(h.order('work', 'a')).toEqual(['a2'])
    expect(await h.operations.showSubscription('work')).toMatchObject({ heldKeys: 0, held: 0 })
  })

  test('scenario 5 (queue): of 300 messages three fail; a restart brings exactly these three again', async () => {
    const h = await openHarness(oneQueue({ retry }))
    const failing = ['t7', 't150', 't299']
    for (const eventId of failing) h.fail('work', { eventId, times: 1 })
    await h.send(
      'tasks',
      Array.from({ length: 300 }, (_, index) => task(`t${index}`)),
    )
    await h.advance('1m')
    expect(h.calls('work')).toHaveLength(300)
    await h.restart()
    await h.settle()
    const again = h.calls('work').slice(300)
    expect(again.map((call) => call.eventId).sort()).toEqual([...failing].sort())
  })

  test('scenario 9 (queue): of 2,000 messages half fail; what waits never exceeds the 1,000 that failed', async () => {
    const h = await openHarness(oneQueue({ retry }, { concurrency: 100 }))
    h.fail('work', { when: 'before', times: 1_000 })
    await h.send(
      'tasks',
      Array.from({ length: 2_000 }, (_, index) => task(`t${index}`)),
    )
    for (let second = 0; second < 30; second += 1) {
      await h.advance('1s')
      const { retrying, queue } = await h.operations.showSubscription('work')
      expect(retrying).toBeLessThanOrEqual(1_000)
      expect(queue?.buffered).toBeLessThanOrEqual(4_096)
    }
    await h.settle()
    expect(h.calls('work').filter((call) => call.outcome === 'ok')).toHaveLength(2_000)
    expect(h.calls('work')).toHaveLength(3_000)
  })

  test('scenario 10 (queue): at a stop what runs is finished and acknowledged; what waits is given back at once', async () => {
    const h = await openHarness(oneQueue({ retry }, { concurrency: 2 }))
    h.delay('work', { by: '2s' })
    await h.send(
      'tasks',
      Array.from({ length: 6 }, (_, index) => task(`t${index}`)),
    )
    await h.advance('1s')
    expect(h.calls('work')).toHaveLength(2)
    await h.restart()
    const handled = h
      .calls('work')
      .filter((call) => call.outcome === 'ok')
      .map((call) => call.eventId)
    expect(handled).toEqual(['t0', 't1'])
    await h.advance('1s')
    // At once, and not when a visibility timeout is over.
    expect(h.calls('work').length).toBeGreaterThan(2)
    await h.settle()
    expect(
      h
        .calls('work')
        .map((call) => call.eventId)
        .sort(),
    ).toEqual(['t0', 't1', 't2', 't3', 't4', 't5'])
  })

  test('scenario 10 (queue): what does not finish in time is given back and handled by the next process', async () => {
    const h = await openHarness(oneQueue({ retry }))
    const heal = h.delay('work', { by: '20s' })
    await h.send('tasks', task('slow'))
    await h.advance('1s')
    heal()
    await h.restart({ timeoutMs: 100 })
    await h.settle()
    expect(h.calls('work').map((call) => call.outcome)).toEqual(['stopped', 'ok'])
    expect(await h.failures()).toEqual([])
  })

  test('scenario 11 (queue): a message whose visibility ends while it is handled is handled once', async () => {
    const h = await openHarness(oneQueue({ retry }, { timeoutMs: 1_000 }), {
      faults: { ...quietFaults, earlyVisibilityExpiry: 1 },
    })
    h.delay('work', { by: '900ms' })
    await h.send(
      'tasks',
      Array.from({ length: 20 }, (_, index) => task(`t${index}`)),
    )
    await h.advance('10s')
    // Each is under way once at a time, however often it is delivered meanwhile.
    const calls = h.calls('work')
    for (const id of new Set(calls.map((call) => call.eventId))) {
      const own = calls.filter((call) => call.eventId === id)
      for (const [index, call] of own.entries())
        expect(call.startedAtMs).toBeGreaterThanOrEqual(endOf(own[index - 1]))
    }
    expect(new Set(calls.map((call) => call.eventId)).size).toBe(20)
  })

  test('scenario 16 (queue): a message that kills the process is given up as crashed; the others are handled (I2, I9)', async () => {
    let h: Harness | undefined
    const handle = (one: { readonly id: string }): unknown => {
      if (one.id !== 'poison') return undefined
      h?.world.crash()
      return new Promise(() => {})
    }
    h = await openHarness(oneQueue({ retry }, { handle, concurrency: 8 }))
    const some = (name: string): NewMessage[] => Array.from({ length: 40 }, (_, n) => task(`${name}${n}`))
    await h.send('tasks', [...some('before'), task('poison'), ...some('after')])
    let deaths = 0
    for (; deaths < 20; deaths += 1) {
      // What was under way comes again when its visibility timeout is over.
      await h.advance('5m')
      if (h.world.runningCount > 0) break
      await h.restart()
    }
    expect(deaths).toBeGreaterThanOrEqual(3)
    expect(deaths).toBeLessThanOrEqual(6)
    await h.settle()
    expect(await h.deadLetters('work')).toMatchObject([
      { eventId: 'poison', lastError: { code: 'EDDY_HANDLER_CRASHED' } },
    ])
    const handled = h.calls('work').filter((call) => call.outcome === 'ok')
    expect(new Set(handled.map((call) => call.eventId)).size).toBe(80)
    expect(await h.operations.showQueue('tasks')).toMatchObject({ messages: 0 })
  })
})

function endOf(call: HandlerCall | undefined): number {
  return call === undefined ? 0 : call.startedAtMs + (call.durationMs ?? Number.POSITIVE_INFINITY)
}
