import { defineApp, fixed, type HandlerContext, subscribe } from '@eddy/core'
import { describe, expect, test } from 'vitest'
import { aggregateOf, putAggregate, putEvent, type UserEvent } from '../support/aggregates.ts'
import {
  event,
  eventStream,
  oneBatchSubscription,
  oneSubscription,
  openHarness,
} from '../support/one-subscription.ts'

const HALF = (1n << 127n).toString()
const PATIENT = {
  blocks: 'key',
  exhausted: 'hold',
  retry: fixed({ delayMs: 1_000, maxAttempts: 3 }),
} as const

/** `a-0`, `b-0`, `a-1`, … of as many keys as are named. */
function userEvents(count: number, keys: readonly string[], from = 0): UserEvent[] {
  return Array.from({ length: count }, (_, index) => {
    const key = keys[index % keys.length] as string
    return { key, id: `${key}-${from + Math.floor(index / keys.length)}` }
  })
}

describe('aggregates', () => {
  test('each record of an aggregate is an event of its own key, in its place among the others (I3)', async () => {
    const seen: HandlerContext[] = []
    const h = await openHarness(oneSubscription({}, { handle: (_, ctx) => void seen.push(ctx) }))
    await h.append('events', [event('a', 'a-0')])
    const stored = await putAggregate(h, userEvents(6, ['a', 'b'], 1))
    await h.append('events', [event('b', 'b-4')])
    await h.settle()
    expect(h.order('work', 'a')).toEqual(['a-0', 'a-1', 'a-2', 'a-3'])
    expect(h.order('work', 'b')).toEqual(['b-1', 'b-2', 'b-3', 'b-4'])
    const inside = seen.filter(({ subSequenceNumber }) => subSequenceNumber !== undefined)
    expect(new Set(inside.map(({ sequenceNumber }) => sequenceNumber))).toEqual(
      new Set([stored.ok ? stored.sequenceNumber : '']),
    )
    expect(inside.map(({ subSequenceNumber }) => subSequenceNumber).sort()).toEqual([0, 1, 2, 3, 4, 5])
    const ofA = seen.filter(({ key }) => key === 'a').map(({ position }) => position)
    expect(ofA).toEqual([...ofA].sort())
    expect(ofA[1]).toMatch(/:000000$/)
  })

  test('a crash in the middle of an aggregate: what was done is done, the rest comes in order (I2, I3)', async () => {
    const h = await openHarness(oneSubscription(PATIENT, { concurrency: 2 }))
    h.delay('work', { by: '100ms' })
    await putAggregate(h, userEvents(60, ['a', 'b', 'c']))
    await h.advance('1500ms')
    const done = h.calls('work').filter(({ outcome }) => outcome === 'ok').length
    expect(done).toBeGreaterThan(5)
    expect(done).toBeLessThan(55)
    await h.crash()
    await h.settle()
    for (const key of ['a', 'b', 'c'])
      expect([...new Set(h.order('work', key))]).toEqual(userEvents(20, [key]).map(({ id }) => id))
    // What was resolved in the checkpoint a second after the start does not come again.
    expect(h.calls('work').length).toBeLessThan(60 + 15)
  })

  test('a clean stop in the middle of an aggregate: every event once', async () => {
    const h = await openHarness(oneSubscription(PATIENT, { concurrency: 1 }))
    h.delay('work', { by: '50ms' })
    await putAggregate(h, userEvents(40, ['a', 'b']))
    await h.append('events', [event('a', 'a-20')])
    await h.advance('1500ms')
    const [checkpoint] = h.world.store.allItems('checkpoint/work')
    expect(checkpoint?.value).toMatchObject({ from: { at: 'at_sub_sequence_number' }, hasAggregates: true })
    await h.restart()
    await h.settle()
    expect(new Set(h.calls('work').map(({ life }) => life))).toEqual(new Set([1, 2]))
    expect(h.calls('work')).toHaveLength(41)
    expect(h.order('work', 'a')).toHaveLength(21)
  })

  test('retention removes aggregates that were begun: what comes after them is handled, all of it (I2)', async () => {
    const h = await openHarness(oneSubscription(PATIENT))
    h.delay('work', { by: '10m', eventId: 'a-0' })
    await putAggregate(h, userEvents(1, ['a']))
    await putAggregate(h, userEvents(9, ['b']))
    await h.append(
      'events',
      userEvents(3, ['b'], 9).map(({ key, id }) => event(key, id)),
    )
    // A checkpoint is saved with the first of them open and twelve behind it done.
    await h.advance('3s')
    expect(h.order('work', 'b')).toHaveLength(12)
    await h.crash({ restart: false })
    h.heal('work')
    h.clock.jump(8 * 86_400_000)
    for (const { key, id } of userEvents(20, ['c'])) await putEvent(h, { key, id })
    await h.restart()
    await h.settle()
    expect(h.order('work', 'c')).toEqual(userEvents(20, ['c']).map(({ id }) => id))
  })

  test('a record of an aggregate fails: its key is held, retried and flows; the others of it never notice (I3, I4)', async () => {
    const h = await openHarness(oneSubscription(PATIENT))
    h.fail('work', { eventId: 'a-1', times: 2 })
    await putAggregate(h, userEvents(20, ['a', 'b']))
    await h.advance('500ms')
    expect(h.order('work', 'a')).toEqual(['a-0'])
    expect(h.order('work', 'b')).toHaveLength(10)
    await h.crash()
    await h.settle()
    expect(h.order('work', 'a')).toEqual(userEvents(10, ['a']).map(({ id }) => id))
  })

  test('dead, edited and redriven: a record of an aggregate has a name and a payload of its own', async () => {
    const h = await openHarness(
      oneSubscription({ blocks: 'nothing', retry: fixed({ delayMs: 10, maxAttempts: 1 }) }),
    )
    h.fail('work', { eventId: 'b-1', times: 1 })
    h.fail('work', { eventId: 'b-2', times: 1 })
    await putAggregate(h, userEvents(10, ['a', 'b']))
    await h.settle()
    const { items } = await h.operations.listFailures({ status: 'dead' })
    expect(items.map(({ subSequenceNumber, eventId }) => [subSequenceNumber, eventId]).sort()).toEqual([
      [3, 'b-1'],
      [5, 'b-2'],
    ])
    const [first, second] = items
    const detail = await h.operations.showFailure(first?.id as string)
    const envelope = JSON.parse(detail.payload?.content as string) as object
    await h.operations.editFailure(
      first?.id as string,
      new TextEncoder().encode(JSON.stringify({ ...envelope, data: { mended: true } })),
      { allowOutOfOrder: true },
    )
    await h.operations.startRedrive({ ids: [second?.id as string] }, { allowOutOfOrder: true })
    await h.settle()
    const done = h.calls('work').filter(({ outcome }) => outcome === 'ok')
    expect(done.map(({ event: { data } }) => data)).toContainEqual({ mended: true })
    expect(done).toHaveLength(10)
    expect((await h.operations.listFailures({ status: 'dead' })).items).toEqual([])
  })

  test('an aggregate of 30,000 records is taken in piece by piece and read once (I6)', async () => {
    const h = await openHarness(oneSubscription({}, { maxBufferedRecords: 100 }))
    await putAggregate(h, userEvents(30_000, ['a', 'b', 'c', 'd', 'e']))
    await h.settle()
    expect(h.calls('work')).toHaveLength(30_000)
    await h.advance('2s')
    const [checkpoint] = h.world.store.allItems('checkpoint/work')
    expect(checkpoint?.value).toMatchObject({ from: { at: 'after_sequence_number' } })
    expect(await h.operations.showSubscription('work')).toMatchObject({ lagRecords: 0 })
  })

  test('a second subscription far behind reads the same aggregates, and none of them twice (I4)', async () => {
    const source = eventStream(1)
    const app = defineApp({
      subscriptions: [
        subscribe('work', source, { handle: () => {} }),
        subscribe('slow', source, { handle: () => {}, concurrency: 1, maxBufferedRecords: 10 }),
      ],
    })
    const h = await openHarness(app)
    h.delay('slow', { by: '10ms' })
    for (let index = 0; index < 20; index += 1) await putAggregate(h, userEvents(100, ['a', 'b'], index * 50))
    await h.settle()
    for (const name of ['work', 'slow']) {
      expect(h.calls(name)).toHaveLength(2_000)
      expect(h.order(name, 'a')).toEqual(userEvents(1_000, ['a']).map(({ id }) => id))
    }
  })

  test('a broken aggregate is one record, dead-lettered with its bytes', async () => {
    const h = await openHarness(oneSubscription({ blocks: 'nothing' }))
    const broken = aggregateOf(userEvents(3, ['a']))
    broken[10] = 255
    const engine = h.world.boot()
    await h.clock.settle(engine.log.append('events', [{ partitionKey: 'k', data: broken }]))
    await h.settle()
    const { items } = await h.operations.listFailures({ status: 'dead' })
    expect(items).toMatchObject([{ eventType: 'undecodable', key: 'k', payloadBytes: broken.length }])
  })

  test('batches: events of one aggregate come together, each with its own name', async () => {
    const names: string[][] = []
    const app = oneBatchSubscription(PATIENT, {
      handleBatch: (items) => {
        names.push(items.map(({ id }) => id))
        return []
      },
    })
    const h = await openHarness(app)
    await putAggregate(h, userEvents(9, ['a', 'b', 'c']))
    await h.settle()
    expect(new Set(names.flat()).size).toBe(9)
    expect(names.flat()[0]).toMatch(/^shardId-000000000000\/\d+:0$/)
  })
})

describe('the range check', () => {
  /** In the first of two shards, with an event of the second one in it. */
  const STRAY: readonly UserEvent[] = [
    { key: 'a', id: 'a-0', explicitHashKey: '0' },
    { key: 'b', id: 'b-0', explicitHashKey: HALF },
  ]

  test('an aggregate with a record outside its shard is passed over whole: counted, logged, shown', async () => {
    const h = await openHarness(oneSubscription({}, { shards: 2 }))
    await putAggregate(h, STRAY, '0')
    await putAggregate(h, STRAY.slice(0, 1), '0')
    await putAggregate(h, STRAY.slice(1), HALF)
    await h.settle()
    expect(
      h
        .calls('work')
        .map(({ eventId }) => eventId)
        .sort(),
    ).toEqual(['a-0', 'b-0'])
    expect(h.logs.map(({ message }) => message).join()).toContain('an aggregate is passed over')
    expect(await h.operations.metrics()).toContain('eddy_strays_dropped_total{subscription="work"} 2')
    const read = {
      stream: 'events',
      shardId: 'shardId-000000000000',
      maxRecords: 10,
      maxBytes: 1e6,
      waitMs: 0,
    }
    const { records } = await h.operations.read({ ...read, from: { at: 'trim_horizon' } })
    expect(records.map(({ isStray }) => isStray)).toEqual([true, true, undefined])
  })

  test('marks in an aggregate that is passed over are not remembered: what is sent again is no copy (I2)', async () => {
    const marked = STRAY.map((user, index) => ({ ...user, mark: ['p', index] as const }))
    const h = await openHarness(oneSubscription({}, { shards: 2 }))
    await putAggregate(h, marked, '0')
    await putAggregate(h, marked.slice(0, 1), '0')
    await putAggregate(h, marked.slice(1), HALF)
    await h.settle()
    expect(
      h
        .calls('work')
        .map(({ eventId }) => eventId)
        .sort(),
    ).toEqual(['a-0', 'b-0'])
  })

  test("with strays: 'keep' all of it is handled", async () => {
    const h = await openHarness(oneSubscription({}, { shards: 2, strays: 'keep' }))
    await putAggregate(h, STRAY, '0')
    await h.settle()
    expect(
      h
        .calls('work')
        .map(({ eventId }) => eventId)
        .sort(),
    ).toEqual(['a-0', 'b-0'])
  })

  test('the range is that of the shard that stores it, whatever became of it since', async () => {
    const h = await openHarness(oneSubscription({}))
    await h.operations.pauseSubscription('work')
    await putAggregate(h, STRAY)
    await h.operations.splitShard('events', 'shardId-000000000000')
    await putAggregate(h, STRAY, '0')
    await h.operations.resumeSubscription('work')
    await h.settle()
    expect(
      h
        .calls('work')
        .map(({ eventId }) => eventId)
        .sort(),
    ).toEqual(['a-0', 'b-0'])
    expect(await h.operations.metrics()).toContain('eddy_strays_dropped_total{subscription="work"} 2')
  })
})

describe('reading pages', () => {
  test('go through an aggregate record by record, from any place in it', async () => {
    const h = await openHarness(oneSubscription({}))
    await putEvent(h, { key: 'a', id: 'first' })
    await putAggregate(h, userEvents(5, ['a']))
    await putEvent(h, { key: 'a', id: 'last' })
    const read = {
      stream: 'events',
      shardId: 'shardId-000000000000',
      maxRecords: 2,
      maxBytes: 1e6,
      waitMs: 0,
    }
    const ids: string[] = []
    let from: Parameters<typeof h.operations.read>[0]['from'] | undefined = { at: 'trim_horizon' }
    for (let pages = 0; pages < 10 && ids.at(-1) !== 'last'; pages += 1) {
      const page = await h.operations.read({ ...read, from: from as { at: 'trim_horizon' } })
      expect(page.records.length).toBeLessThanOrEqual(2)
      for (const record of page.records) ids.push((h.operations.decode(record) as { id: string }).id)
      from = page.next
    }
    expect(ids).toEqual(['first', 'a-0', 'a-1', 'a-2', 'a-3', 'a-4', 'last'])
  })
})
