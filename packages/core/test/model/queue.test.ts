import { defineApp, isApp, queue, stream, subscribe } from '@eddy/core'
import { describe, expect, test } from 'vitest'

const handle = (): void => {}
const tasks = queue('tasks')
const emails = queue('emails', { group: 'customer.id' })

function message(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    return (error as Error).message
  }
  return 'it was accepted'
}

describe('queue()', () => {
  test('has no groups and remembers deduplication ids for 5 minutes unless it says otherwise', () => {
    expect(tasks).toMatchObject({
      kind: 'queue',
      name: 'tasks',
      group: undefined,
      deduplicationWindowMs: 300_000,
    })
  })

  test.each([
    [{ group: 'a b' }, 'queue("q").group: expected a field of data'],
    [{ group: '' }, 'queue("q").group'],
    [{ groups: 'x' }, 'did you mean "group"?'],
    [{ deduplicationWindowMs: 999 }, 'queue("q").deduplicationWindowMs: expected an integer from 1000'],
    [{ schema: {} }, 'queue("q").schema: expected a Standard Schema'],
  ])('refuses %o by name', (options, expected) => {
    expect(message(() => queue('q', options as never))).toContain(expected)
  })

  test('refuses a name that cannot stand in a path', () => {
    expect(message(() => queue('a/b'))).toContain('queue(name)')
  })
})

describe('subscribe() to a queue', () => {
  test('blocks nothing by default where there are no groups', () => {
    const definition = subscribe('work', tasks, { handle })
    expect(definition).toMatchObject({ stream: 'queue/tasks', queue: tasks, failure: { blocks: 'nothing' } })
  })

  test.each([
    [tasks, { from: 'latest' }, 'subscribe("work").from: expected nothing, since "tasks" is a queue'],
    [tasks, { filter: { type: ['a'] } }, 'subscribe("work").filter: expected nothing'],
    [tasks, { failure: { blocks: 'shard' } }, "expected 'key' or 'nothing', since queue"],
    [tasks, { failure: { blocks: 'key', exhausted: 'hold' } }, 'has no groups that could wait'],
    [emails, {}, 'subscribe("work").failure.blocks: expected a choice, since queue "emails" has groups'],
    [emails, { failure: { blocks: 'shard' } }, 'has no shards'],
  ])('refuses what makes no sense for %o: %o', (source, options, expected) => {
    expect(message(() => subscribe('work', source, { handle, ...options } as never))).toContain(expected)
  })

  test('needs a stream or a queue', () => {
    expect(message(() => subscribe('work', { name: 'tasks' } as never, { handle }))).toContain(
      'a stream made with stream(), or a queue made with queue()',
    )
  })
})

describe('defineApp() with queues', () => {
  test('includes the queues of subscriptions, once, and those without one', () => {
    const app = defineApp({
      queues: [tasks, queue('archive')],
      subscriptions: [subscribe('work', tasks, { handle })],
    })
    expect(isApp(app)).toBe(true)
    expect(app.queues.map((one) => one.name)).toEqual(['tasks', 'archive'])
    expect(app.streams).toEqual([])
  })

  test('a queue and a stream may share a name', () => {
    const app = defineApp({ streams: [stream('tasks', { shards: 1 })], queues: [tasks], subscriptions: [] })
    expect([app.streams.length, app.queues.length]).toEqual([1, 1])
  })

  test('refuses a second reader of a queue, a second definition and what is no queue', () => {
    const subscriptions = [subscribe('one', tasks, { handle }), subscribe('two', tasks, { handle })]
    expect(message(() => defineApp({ subscriptions }))).toContain(
      'expected one subscription of queue "tasks", which "one" reads. For several readers of the same events, use a stream',
    )
    expect(message(() => defineApp({ queues: [tasks, queue('tasks')], subscriptions: [] }))).toContain(
      'one definition of queue "tasks"',
    )
    expect(message(() => defineApp({ queues: ['tasks'] as never, subscriptions: [] }))).toContain(
      'a queue made with queue()',
    )
  })
})
