import {
  type AppDefinition,
  defineApp,
  failed,
  fixed,
  type NewMessage,
  type QueueDefinition,
  queue,
  stream,
  subscribe,
  succeeded,
} from '@eddy/core'
import { describe, expect, test } from 'vitest'
import { type Harness, quietFaults } from '../../src/index.ts'
import { grouped, oneQueue, task } from '../support/one-queue.ts'
import { event, openHarness } from '../support/one-subscription.ts'

const MINUTE_MS = 60_000
const retry = fixed({ delayMs: 10 * MINUTE_MS, maxAttempts: 4 })
const MIB = 1_048_576
/** What is being written when the process dies is not written. */
const allLost = { ...quietFaults, crash: { ...quietFaults.crash, tookEffectShare: 0, lateShare: 0 } }

describe('sending', () => {
  test('each message has its own outcome; an invalid one fails alone and says why', async () => {
    const h = await openHarness(oneQueue({}))
    const outcomes = await h.send('tasks', [
      task('good'),
      task('grouped', { group: 'a' }),
      task('twice', { delayMs: 5, at: new Date() }),
      task('negative', { delayMs: -1 }),
      task('never', { at: 'soon' }),
      task('big', { data: 'x'.repeat(MIB) }),
      task('past', { at: 0 }),
      // What a program without types sends to what it takes for a stream: dropped, the order it counts on is lost.
      { data: 1, ...{ key: 'a' } },
    ])
    expect(outcomes.map((outcome) => (outcome.ok ? 'ok' : `${outcome.code}: ${outcome.message}`))).toEqual([
      'ok',
      expect.stringContaining('queue "tasks" has no groups'),
      expect.stringContaining('either delayMs or at'),
      expect.stringContaining('delayMs: expected 0 to 365 days'),
      expect.stringContaining('at: expected a Date'),
      expect.stringMatching(/^EDDY_RECORD_TOO_LARGE/),
      'ok',
      expect.stringContaining('key: expected none: a message has a "group", in a queue with groups'),
    ])
    await h.settle()
    expect(h.calls('work').map((call) => call.eventId)).toEqual(['good', 'past'])
  })

  test('in a queue with groups the group is a field of the data, or stated; a delay is refused', async () => {
    const h = await openHarness(oneQueue({ blocks: 'nothing' }, { grouped: true }))
    const outcomes = await h.send('tasks', [
      grouped('a1'),
      task('stated', { group: 'b' }),
      { id: 'number', data: { group: 7 } },
      task('none'),
      { ...grouped('a2'), delayMs: 1 },
    ])
    expect(outcomes.map((outcome) => outcome.ok || outcome.message)).toEqual([
      true,
      true,
      true,
      expect.stringContaining('data.group'),
      expect.stringContaining('handled in the order they were sent'),
    ])
    await h.settle()
    expect(h.calls('work').map((call) => call.key)).toEqual(['a', 'b', '7'])
  })

  test('a message of 1 MiB passes through handler and ledger whole', async () => {
    const seen: number[] = []
    const handle = (one: { readonly data: unknown }): void => {
      seen.push((one.data as string).length)
      if (seen.length === 1) throw new Error('not yet')
    }
    const h = await openHarness(oneQueue({ retry }, { handle }))
    const data = 'x'.repeat(MIB - 300)
    expect(await h.send('tasks', { id: 'big', data })).toMatchObject([{ ok: true }])
    await h.settle()
    expect(seen).toEqual([data.length, data.length])
  })

  test('the schema of the queue refuses what no handler could accept', async () => {
    const h = await openHarness(withSchema())
    const outcomes = await h.send('tasks', [task('n', { data: 7 }), task('text', { data: 'seven' })])
    expect(outcomes).toMatchObject([{ ok: true }, { ok: false, code: 'EDDY_SCHEMA_MISMATCH' }])
  })

  test('a queue that the application does not define is named', async () => {
    const h = await openHarness(oneQueue({}))
    await expect(h.send('taks', task('t'))).rejects.toMatchObject({ code: 'EDDY_QUEUE_NOT_FOUND' })
    await expect(h.operations.showQueue('taks')).rejects.toMatchObject({ code: 'EDDY_QUEUE_NOT_FOUND' })
  })

  test('scenario 26: of two sends of one deduplication id at the same time one is stored; after the window it is another message', async () => {
    const h = await openHarness(oneQueue({}, { deduplicationWindowMs: 10 * MINUTE_MS }))
    const one = { data: {}, deduplicationId: 'order-7' }
    const runtime = await Promise.all([h.send('tasks', one), h.send('tasks', one)])
    const outcomes = runtime.flat()
    expect(outcomes.filter((outcome) => outcome.ok && !outcome.duplicate)).toHaveLength(1)
    expect(new Set(outcomes.map((outcome) => outcome.ok && outcome.messageId)).size).toBe(1)
    expect(new Set(outcomes.map((outcome) => outcome.ok && outcome.id))).toEqual(new Set(['order-7']))
    await h.settle()
    await h.advance('9m')
    expect(await h.send('tasks', one)).toMatchObject([{ ok: true, duplicate: true }])
    await h.advance('2m')
    expect(await h.send('tasks', one)).toMatchObject([{ ok: true, duplicate: false }])
    await h.settle()
    expect(h.attempts('work', 'order-7')).toBe(2)
  })
})

describe('handlers', () => {
  test('scenario 26: a handler that throws after a send, and one that dies after it, sends once', async () => {
    const h = await openHarness(chain())
    h.fail('sender', { when: 'after', times: 2 })
    await h.append('events', event('k', 'e1'))
    await h.advance('1s')
    await h.crash()
    await h.settle()
    expect(h.attempts('sender', 'e1')).toBe(3)
    expect(h.calls('work').map((call) => call.eventId)).toEqual(['e1/sender/send.0.0', 'e1/sender/send.0.1'])
  })

  test('scenario 26: a send whose step was lost with the process adds no second message (deduplication id)', async () => {
    const h = await openHarness(chain(), { faults: allLost })
    await h.operations.pauseSubscription('work')
    crashAtPut(h, 'step/')
    await h.append('events', event('k', 'e1'))
    await h.advance('1s')
    expect(h.world.runningCount).toBe(0)
    await h.restart()
    await h.settle()
    expect(h.attempts('sender', 'e1')).toBe(2)
    expect(await h.operations.showQueue('tasks')).toMatchObject({ messages: 2 })
  })

  test('ctx tells where a message comes from', async () => {
    const seen: unknown[] = []
    const h = await openHarness(
      oneQueue(
        { blocks: 'nothing' },
        {
          grouped: true,
          handle: (_event, ctx) => void seen.push([ctx.stream, ctx.shardId, ctx.key, ctx.arrivedAtMs]),
        },
      ),
    )
    await h.send('tasks', grouped('a1'))
    await h.settle()
    expect(seen).toEqual([['queue/tasks', 'queue', 'a', expect.any(Number)]])
  })

  test('scenario 12 (queue): a batch has one message of each group at most; what failed in it is retried, what is behind it waits', async () => {
    const batches: string[][] = []
    const bad = new Set(['a1'])
    const h = await openHarness(
      oneQueue(
        { blocks: 'key', exhausted: 'dead-letter', retry },
        {
          grouped: true,
          handleBatch: (items) => {
            batches.push(items.map((item) => item.event.id))
            return items.map((item) =>
              bad.delete(item.event.id) ? failed(item, new Error('no')) : succeeded(item),
            )
          },
        },
      ),
    )
    await h.operations.pauseSubscription('work')
    await h.send('tasks', ['a1', 'a2', 'b1', 'b2', 'c1'].map(grouped))
    await h.operations.resumeSubscription('work')
    await h.settle()
    const handled = batches.flat()
    for (const ids of batches) expect(new Set(ids.map((id) => id[0])).size).toBe(ids.length)
    expect(batches.some((ids) => ids.length > 1)).toBe(true)
    expect(handled.filter((id) => id.startsWith('a'))).toEqual(['a1', 'a1', 'a2'])
    expect(handled.filter((id) => id.startsWith('b'))).toEqual(['b1', 'b2'])
    expect(await h.operations.showQueue('tasks')).toMatchObject({ messages: 0 })
  })
})

describe('operating', () => {
  test('a pause gives back what has not begun and takes nothing; a resume goes on', async () => {
    const h = await openHarness(oneQueue({ retry }, { concurrency: 2 }))
    h.delay('work', { by: '5s' })
    await h.send(
      'tasks',
      Array.from({ length: 10 }, (_, n) => task(`t${n}`)),
    )
    await h.advance('1s')
    await h.operations.pauseSubscription('work', { by: 'ada' })
    await h.advance('1m')
    expect(h.calls('work')).toHaveLength(2)
    const paused = await h.operations.showSubscription('work')
    expect(paused).toMatchObject({ paused: true, lagRecords: 8, queue: { state: 'paused', buffered: 0 } })
    expect(paused.queue).toMatchObject({ ready: 8, inFlight: 0 })
    expect(paused.lagMs).toBeGreaterThanOrEqual(55_000)
    await h.operations.resumeSubscription('work')
    await h.settle()
    expect(h.calls('work')).toHaveLength(10)
  })

  test('a purge empties the queue and says so in the audit; what failed stays in the ledger (dry run first)', async () => {
    const h = await openHarness(oneQueue({ retry }))
    h.fail('work', { eventId: 't1' })
    await h.send('tasks', [task('t1'), task('later', { delayMs: MINUTE_MS })])
    await h.advance('1s')
    expect(await h.operations.purgeQueue('tasks', { dryRun: true })).toEqual({ messages: 1, dryRun: true })
    expect(await h.operations.showQueue('tasks')).toMatchObject({ messages: 1, delayed: 1 })
    expect(await h.operations.purgeQueue('tasks', { by: 'ada', note: 'test data' })).toEqual({
      messages: 1,
      dryRun: false,
    })
    h.heal('work')
    await h.settle()
    expect(h.calls('work').map((call) => call.eventId)).toEqual(['t1', 't1'])
    expect(await h.operations.listAudit()).toMatchObject([
      { action: 'queue-purge', target: 'tasks', by: 'ada', count: 1, note: 'test data' },
    ])
  })

  test('a group that is held does not wait for ever for a message that was purged (I9)', async () => {
    const h = await openHarness(
      oneQueue({ blocks: 'key', exhausted: 'dead-letter', retry }, { grouped: true }),
      { faults: allLost },
    )
    h.fail('work', { eventId: 'a1', times: 1 })
    await h.send('tasks', grouped('a1'))
    await h.advance('1s')
    // a2 raises the tail of the hold, and its ledger item is not written: the process dies in between.
    await dieWhileDiverting(h, grouped('a2'))
    expect(h.world.runningCount).toBe(0)
    await h.restart()
    expect(await h.operations.purgeQueue('tasks')).toMatchObject({ messages: 1 })
    await h.advance('30m')
    expect(await h.operations.showSubscription('work')).toMatchObject({ heldKeys: 0, held: 0, retrying: 0 })
    await h.send('tasks', grouped('a3'))
    await h.settle()
    expect(h.order('work', 'a')).toEqual(['a1', 'a3'])
  })

  test('a held group that no purge touched waits for its message, which comes again', async () => {
    const h = await openHarness(
      oneQueue({ blocks: 'key', exhausted: 'dead-letter', retry }, { grouped: true }),
      { faults: allLost },
    )
    h.fail('work', { eventId: 'a1', times: 1 })
    await h.send('tasks', grouped('a1'))
    await h.advance('1s')
    await dieWhileDiverting(h, grouped('a2'))
    expect(h.world.runningCount).toBe(0)
    await h.restart()
    await h.settle()
    expect(h.order('work', 'a')).toEqual(['a1', 'a2'])
  })

  test('a seek is refused with the reason', async () => {
    const h = await openHarness(oneQueue({}))
    await expect(h.operations.seekSubscription('work', { at: 'trim_horizon' })).rejects.toThrow(
      'seek: expected a subscription of a stream, since queue "tasks" keeps nothing to go back to',
    )
  })

  test('a policy that a queue cannot follow is refused', async () => {
    const h = await openHarness(oneQueue({}))
    await expect(h.operations.changePolicy('work', { set: { 'failure.blocks': 'shard' } })).rejects.toThrow(
      'has no shards',
    )
    await expect(
      h.operations.changePolicy('work', {
        set: { 'failure.blocks': 'key', 'failure.exhausted': 'hold' },
      }),
    ).rejects.toThrow('has no groups that could wait')
  })

  test('metrics tell what waits and how old it is', async () => {
    const h = await openHarness(oneQueue({}))
    await h.operations.pauseSubscription('work')
    await h.send('tasks', [task('t1'), task('t2', { delayMs: MINUTE_MS })])
    await h.advance('5s')
    const text = await h.operations.metrics()
    expect(text).toContain('eddy_queue_messages{queue="tasks",state="ready"} 1')
    expect(text).toContain('eddy_queue_messages{queue="tasks",state="delayed"} 1')
    expect(text).toContain('eddy_queue_oldest_age_seconds{queue="tasks"} 5')
    expect(text).toContain('eddy_sent_total{queue="tasks"} 2')
  })

  test('memory is bounded: received and not acknowledged are at most maxBufferedRecords (I6)', async () => {
    const h = await openHarness(oneQueue({ retry }, { concurrency: 4, maxBufferedRecords: 20 }))
    h.delay('work', { by: '1s' })
    await h.send(
      'tasks',
      Array.from({ length: 200 }, (_, n) => task(`t${n}`)),
    )
    for (let second = 0; second < 60; second += 1) {
      await h.advance('1s')
      const { queue: depth } = await h.operations.showSubscription('work')
      expect(depth?.buffered).toBeLessThanOrEqual(20)
      expect(depth?.inFlight).toBeLessThanOrEqual(20)
    }
    expect(h.calls('work')).toHaveLength(200)
  })

  test('acknowledgements that are refused are sent again: no handler runs twice for them', async () => {
    const h = await openHarness(oneQueue({ retry }), { faults: { ...quietFaults, ackRejected: 0.7 } })
    await h.send(
      'tasks',
      Array.from({ length: 50 }, (_, n) => task(`t${n}`)),
    )
    await h.settle()
    expect(h.calls('work')).toHaveLength(50)
    expect(await h.operations.showQueue('tasks')).toMatchObject({ messages: 0 })
  })
})

async function dieWhileDiverting(h: Harness, message: NewMessage): Promise<void> {
  await h.operations.pauseSubscription('work')
  await h.send('tasks', message)
  crashAtPut(h, 'ledger/')
  await h.operations.resumeSubscription('work').catch(() => undefined)
  await h.advance('1s')
}

/** Kills the process when it is about to write an item of this partition, which it then has not. */
function crashAtPut(h: Harness, partition: string): void {
  h.world.onCall = ({ op, args }) => {
    if (op !== 'table.put') return
    const [item] = args as [{ readonly partition: string }]
    if (!item.partition.startsWith(partition)) return
    h.world.onCall = undefined
    h.world.crash()
  }
}

/** `sender` reads a stream and sends two messages for each event; `work` reads the queue. */
function chain(): AppDefinition {
  const tasks = queue('tasks')
  const events = stream('events', { shards: 1 })
  return defineApp({
    subscriptions: [
      subscribe('sender', events, {
        handle: async (_event, ctx) => {
          await ctx.send(tasks, [{ data: 1 }, { data: 2 }])
        },
      }),
      subscribe('work', tasks, { handle: () => {} }),
    ],
  })
}

function withSchema(): AppDefinition {
  const schema: QueueDefinition<number>['schema'] = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) =>
        typeof value === 'number' ? { value } : { issues: [{ message: 'expected a number' }] },
    },
  }
  return defineApp({ queues: [queue('tasks', { schema })], subscriptions: [] })
}
