import { type BatchHandler, type BatchItem, failed, fixed, list, outcome, succeeded } from '@eddy/core'
import { describe, expect, test } from 'vitest'
import { grouped, oneQueue, task } from '../support/one-queue.ts'
import { event, events, oneBatchSubscription, openHarness } from '../support/one-subscription.ts'

const HOUR_MS = 3_600_000
const retry = fixed({ delayMs: 10 * 60_000, maxAttempts: 4 })
const group = [event('1', '1x'), event('1', '1y'), event('2', '2x'), event('2', '2y'), event('3', '3y')]

describe('batches', () => {
  test('scenario 12: in a batch a key’s events after its first failure are not done, others are (I3, I4)', async () => {
    const h = await openHarness(oneBatchSubscription({ blocks: 'key', exhausted: 'hold', retry }))
    const fixes = [h.fail('work', { eventId: '1x' }), h.fail('work', { eventId: '2x' })]
    await h.append('events', group)
    await h.advance('1m')
    expect(h.calls('work').map(({ eventId, outcome, batch }) => [eventId, outcome, batch])).toEqual([
      ['1x', 'failed', 1],
      ['1y', 'not-counted', 1],
      ['2x', 'failed', 1],
      ['2y', 'not-counted', 1],
      ['3y', 'ok', 1],
    ])
    const unresolved = [...(await h.retrying('work')), ...(await h.held('work'))]
    expect(unresolved.map(({ eventId, attempts }) => `${eventId} ${attempts}`).sort()).toEqual([
      '1x 1',
      '1y 0',
      '2x 1',
      '2y 0',
    ])
    for (const fix of fixes) fix()
    await h.settle()
    expect(h.order('work', '1')).toEqual(['1x', '1y'])
    expect(h.order('work', '2')).toEqual(['2x', '2y'])
    expect(h.attempts('work', '3y')).toBe(1)
  })

  test('scenario 12: in a batch with blocks: nothing only the failed ones are not done (I4)', async () => {
    const h = await openHarness(oneBatchSubscription({ retry }))
    h.fail('work', { eventId: '1x', times: 1 })
    h.fail('work', { eventId: '2x', times: 1 })
    await h.append('events', group)
    await h.advance('1m')
    expect((await h.retrying('work')).map((item) => item.eventId).sort()).toEqual(['1x', '2x'])
    expect(await h.held('work')).toEqual([])
    await h.settle()
    expect(h.calls('work').map(({ eventId }) => eventId)).toEqual(['1x', '1y', '2x', '2y', '3y', '1x', '2x'])
  })

  test('scenario 12: in a batch with blocks: shard nothing is done from the first failure on (I3)', async () => {
    const h = await openHarness(oneBatchSubscription({ blocks: 'shard', retry }))
    h.fail('work', { eventId: '2x', times: 1 })
    await h.append('events', group)
    await h.advance('1m')
    expect(h.calls('work').map(({ eventId, outcome }) => [eventId, outcome])).toEqual([
      ['1x', 'ok'],
      ['1y', 'ok'],
      ['2x', 'failed'],
      ['2y', 'not-counted'],
      ['3y', 'not-counted'],
    ])
    // What is done is done, whatever comes of the rest: nothing of it comes again.
    await h.crash()
    await h.settle()
    expect(
      h
        .calls('work')
        .filter(({ life }) => life === 2)
        .map(({ eventId }) => eventId),
    ).toEqual(['2x', '2y', '3y'])
  })

  test('scenario 13: an item that is left out of the result has failed, and says so (I9)', async () => {
    const h = await openHarness(
      oneBatchSubscription(
        { retry },
        {
          handleBatch: (items, { path }) =>
            items.filter(({ event }) => path !== 'live' || event.id !== '2x').map(succeeded),
        },
      ),
    )
    await h.append('events', group)
    await h.advance('1m')
    const [left, ...others] = await h.retrying('work')
    expect(others).toEqual([])
    expect(left).toMatchObject({ eventId: '2x', lastError: { code: 'EDDY_BATCH_ITEM_OMITTED' } })
    expect(left?.lastError?.message).toContain('(1 of 5 have none)')
    await h.settle()
    expect(await h.resolved('work')).toMatchObject([{ eventId: '2x', attempts: 2 }])
  })

  test.each([
    ['nothing', undefined, 'it returned nothing'],
    ['a number', 5, 'it returned 5'],
    ['an object', { batchItemFailures: [] }, 'it returned {"batchItemFailures":[]}'],
    ['an entry that is no outcome', ['ok'], 'what stands at index 0 is not'],
    ['an outcome without ok', [{ id: 'x', error: 'no' }], 'what stands at index 0 is not'],
    ['an unknown id', [{ id: 'x', ok: true }], 'no item of the batch has the id "x"'],
  ])(
    'scenario 13: a result that is %s fails the batch and says what was expected (I9)',
    async (_, answer, problem) => {
      const h = await openHarness(oneBatchSubscription({ retry }, { handleBatch: () => answer as never }))
      await h.append('events', group)
      await h.advance('1m')
      const items = await h.retrying('work')
      expect(items).toHaveLength(5)
      for (const { lastError } of items) {
        expect(lastError?.code).toBe('EDDY_BATCH_RESULT')
        expect(lastError?.message).toContain('succeeded(item) or failed(item, error)')
        expect(lastError?.message).toContain(problem)
      }
    },
  )

  test('scenario 13: an item that went well and failed fails the batch; one that is told twice does not (I9)', async () => {
    const h = await openHarness(
      oneBatchSubscription(
        { retry },
        {
          handleBatch: (items) => {
            const [first, second] = items.map(({ id }) => ({ id }))
            if (first === undefined || second === undefined) return items.map(succeeded)
            const isTwice = items[0]?.event.id === '1x'
            return isTwice
              ? [...items.map(succeeded), succeeded(first)]
              : [...items.map(succeeded), failed(second, new Error('no'))]
          },
        },
      ),
    )
    await h.append('events', group)
    await h.advance('1m')
    expect(await h.failures()).toEqual([])
    await h.append('events', [event('4', '4x'), event('4', '4y')])
    await h.advance('1m')
    const items = await h.retrying('work')
    expect(items.map(({ lastError }) => lastError?.code)).toEqual(['EDDY_BATCH_RESULT', 'EDDY_BATCH_RESULT'])
    expect(items[0]?.lastError?.message).toContain('one outcome says that the item')
  })

  test('scenario 13: dead-letter, drop and retry-after of one item count as if it had thrown them (I9)', async () => {
    const means: Record<string, unknown> = {
      '1x': outcome.deadLetter('not for us'),
      '2x': outcome.drop('twice'),
      '3y': outcome.retryAfterMs(5_000),
    }
    const h = await openHarness(
      oneBatchSubscription(
        { retry },
        {
          handleBatch: (items, { path }) =>
            items.map((item) => {
              const error = means[item.event.id]
              return path === 'live' && error !== undefined ? failed(item, error) : succeeded(item)
            }),
        },
      ),
    )
    await h.append('events', group)
    await h.advance('4900ms')
    expect(await h.deadLetters('work')).toMatchObject([{ eventId: '1x', attempts: 1, reason: 'not for us' }])
    expect(await h.dropped('work')).toMatchObject([{ eventId: '2x', attempts: 1, reason: 'twice' }])
    expect(await h.retrying('work')).toMatchObject([{ eventId: '3y' }])
    await h.advance('200ms')
    expect(await h.resolved('work')).toMatchObject([{ eventId: '3y', attempts: 2 }])
  })

  test('scenario 1 (batch): while A1 waits for its retry, A2 never counts as done and B flows (I3, I4)', async () => {
    const h = await openHarness(oneBatchSubscription({ blocks: 'key', exhausted: 'dead-letter', retry }))
    h.fail('work', { eventId: 'a1', times: 2 })
    await h.append('events', [event('a', 'a1'), event('a', 'a2'), event('b', 'b1')])
    for (let minute = 0; minute < 20; minute += 1) {
      await h.append('events', [event('a', `a${minute + 3}`), event('b', `b${minute + 2}`)])
      await h.advance('30s')
      expect(h.order('work', 'b')).toHaveLength(minute + 2)
      expect(h.order('work', 'a')).toEqual([])
      await h.advance('29s')
    }
    await h.advance('1m')
    expect(h.order('work', 'a')).toEqual(Array.from({ length: 22 }, (_, index) => `a${index + 1}`))
    expect(h.attempts('work', 'a1')).toBe(3)
    expect(
      h
        .calls('work')
        .filter(({ eventId }) => eventId === 'a2')
        .map(({ outcome }) => outcome),
    ).toEqual(['not-counted', 'ok'])
  })

  test('scenario 1 (batch): a key whose event is dead-lettered at once goes on with the next one, not before (I3)', async () => {
    const h = await openHarness(
      oneBatchSubscription({ blocks: 'key', exhausted: 'dead-letter', retry: list([], { maxAttempts: 1 }) }),
    )
    h.fail('work', { eventId: 'a1' })
    await h.append('events', [event('a', 'a1'), event('a', 'a2'), event('b', 'b1')])
    await h.settle()
    expect(h.calls('work').map(({ eventId, outcome, batch }) => [eventId, outcome, batch])).toEqual([
      ['a1', 'failed', 1],
      ['a2', 'not-counted', 1],
      ['b1', 'ok', 1],
      ['a2', 'ok', 2],
    ])
    expect(await h.deadLetters('work')).toMatchObject([{ eventId: 'a1' }])
  })

  test('scenario 2 (batch): a retry is not there one second before it is due, and is there after (I5)', async () => {
    for (const blocks of ['nothing', 'key', 'shard'] as const) {
      const everyMinute = fixed({ delayMs: 60_000, maxAttempts: 5 })
      const h = await openHarness(
        oneBatchSubscription({ blocks, exhausted: 'dead-letter', retry: everyMinute }),
      )
      h.fail('work', { eventId: 'a1' })
      await h.append('events', [event('a', 'a1'), event('a', 'a2')])
      await h.advance(100)
      await h.advance('59s')
      expect(h.attempts('work', 'a1')).toBe(1)
      await h.advance('1s')
      expect(h.attempts('work', 'a1')).toBe(2)
    }
  })

  test('scenario 5 (batch): of 5,000 events three fail; after a restart exactly those three are handled again (I2)', async () => {
    const h = await openHarness(
      oneBatchSubscription({ retry: fixed({ delayMs: HOUR_MS, maxAttempts: 3 }) }, { shards: 2 }),
    )
    const failing = ['k3-7', 'k11-20', 'k99-49']
    for (const eventId of failing) h.fail('work', { eventId, times: 1 })
    await h.append('events', events(5_000, 100))
    await h.settle('1m')
    expect(h.calls('work')).toHaveLength(5_000)
    await h.restart()
    await h.settle('2h')
    const again = h.calls('work').filter((call) => call.life === 2)
    expect(again.map((call) => call.eventId).sort()).toEqual([...failing].sort())
    expect(await h.operations.showSubscription('work')).toMatchObject({ lagRecords: 0, retrying: 0, dead: 0 })
  })

  test('scenario 9 (batch): half of 1,000 events fail in their batches; those wait, the others do not (I2, I6)', async () => {
    const h = await openHarness(
      oneBatchSubscription({ retry: fixed({ delayMs: 60_000, maxAttempts: 3 }) }, { shards: 2 }),
    )
    for (let n = 1; n < 20; n += 2) h.fail('work', { key: `k${n}`, attempts: 1 })
    await h.append('events', events(1_000, 20))
    await h.advance('30s')
    expect(await h.operations.showSubscription('work')).toMatchObject({
      retrying: 500,
      held: 0,
      lagRecords: 0,
    })
    await h.settle()
    expect(await h.operations.showSubscription('work')).toMatchObject({ retrying: 0, dead: 0, lagRecords: 0 })
    expect(h.calls('work')).toHaveLength(1_500)
    expect(await h.resolved('work')).toHaveLength(500)
  })

  test('scenario 10 (batch): a stop finishes and saves the batches in flight, and leaves what is queued (I2)', async () => {
    const h = await openHarness(oneBatchSubscription({ retry }, { concurrency: 2, batch: { maxEvents: 5 } }))
    h.delay('work', { by: '1s' })
    await h.append('events', events(40, 40))
    await h.advance('1500ms')
    expect(h.calls('work')).toHaveLength(20)
    await h.restart()
    const first = h.calls('work').filter((call) => call.life === 1)
    expect(first.map((call) => call.outcome)).toEqual(Array(20).fill('ok'))
    await h.settle()
    expect(h.calls('work').filter((call) => call.life === 2)).toHaveLength(20)
    expect(new Set(h.calls('work').map((call) => call.eventId)).size).toBe(40)
  })

  test('scenario 10 (batch): a stop gives back a batch that does not finish in time; it comes again (I2, I9)', async () => {
    for (const blocks of ['nothing', 'key', 'shard'] as const) {
      const h = await openHarness(oneBatchSubscription({ blocks, exhausted: 'dead-letter', retry }))
      h.delay('work', { by: '20s', times: 1 })
      await h.append('events', [event('a', 'a1'), event('a', 'a2')])
      await h.advance('1s')
      await h.restart({ timeoutMs: 5_000 })
      await h.settle()
      expect(h.calls('work')).toMatchObject([
        { eventId: 'a1', outcome: 'stopped', life: 1 },
        { eventId: 'a2', outcome: 'stopped', life: 1 },
        { eventId: 'a1', outcome: 'ok', life: 2, attempt: 1 },
        { eventId: 'a2', outcome: 'ok', life: 2, attempt: 1 },
      ])
      expect(await h.failures()).toEqual([])
    }
  })

  const ofQueue = {
    handleBatch: (items: readonly BatchItem[]) => items.map(succeeded),
    batch: { maxWaitMs: 1_000 },
  }

  test('scenario 12 (queue): of a batch of messages only the failed ones are retried (I4)', async () => {
    const h = await openHarness(oneQueue({ retry }, ofQueue))
    h.fail('work', { eventId: 't2', times: 1 })
    await h.send('tasks', [task('t1'), task('t2'), task('t3')])
    await h.advance('1m')
    expect(h.calls('work').map(({ eventId, outcome, batch }) => [eventId, outcome, batch])).toEqual([
      ['t1', 'ok', 1],
      ['t2', 'failed', 1],
      ['t3', 'ok', 1],
    ])
    expect(await h.retrying('work')).toMatchObject([{ eventId: 't2', attempts: 1 }])
    await h.settle()
    expect(h.calls('work').slice(3)).toMatchObject([{ eventId: 't2', attempt: 2, outcome: 'ok' }])
    expect(await h.operations.showQueue('tasks')).toMatchObject({ messages: 0 })
  })

  test('scenario 12 (queue): a group waits for its failed message while batches of others go on (I3, I4)', async () => {
    const h = await openHarness(
      oneQueue({ blocks: 'key', exhausted: 'dead-letter', retry }, { ...ofQueue, grouped: true }),
    )
    h.fail('work', { eventId: 'a1', times: 1 })
    await h.send('tasks', ['a1', 'a2', 'b1', 'b2', 'c1'].map(grouped))
    await h.advance('5m')
    expect(h.order('work', 'a')).toEqual([])
    expect(h.order('work', 'b')).toEqual(['b1', 'b2'])
    expect(h.order('work', 'c')).toEqual(['c1'])
    await h.settle()
    expect(h.order('work', 'a')).toEqual(['a1', 'a2'])
    expect(h.attempts('work', 'b1')).toBe(1)
  })

  test('scenario 13 (queue): messages that the result leaves out have failed, and nothing else (I9)', async () => {
    const leavesOut: BatchHandler = (items, { path }) =>
      items.filter(({ event: { id } }) => path !== 'live' || id === 't1').map(succeeded)
    const h = await openHarness(oneQueue({ retry }, { ...ofQueue, handleBatch: leavesOut }))
    await h.send('tasks', [task('t1'), task('t2'), task('t3')])
    await h.advance('1m')
    expect((await h.retrying('work')).map(({ eventId, lastError }) => [eventId, lastError?.code])).toEqual(
      expect.arrayContaining([
        ['t2', 'EDDY_BATCH_ITEM_OMITTED'],
        ['t3', 'EDDY_BATCH_ITEM_OMITTED'],
      ]),
    )
    expect(await h.retrying('work')).toHaveLength(2)
    await h.settle()
    expect(await h.resolved('work')).toHaveLength(2)
    expect(await h.operations.showQueue('tasks')).toMatchObject({ messages: 0 })
  })
})
