import { defineApp, InvalidOptionError, startRuntime, stream, subscribe } from '@eddy/core'
import { describe, expect, test } from 'vitest'
import { harness, SimWorld } from '../../src/index.ts'

const events = stream('events', { shards: 1 })
const handle = () => {}

/** What an application file without types may hold. */
const WRONG: readonly [string, () => unknown, string][] = [
  ['shards as text', () => stream('events', { shards: '4' as never }), 'stream("events").shards'],
  ['no shards', () => stream('events', {} as never), 'stream("events").shards'],
  ['a stream name with a space', () => stream('my events', { shards: 1 }), 'stream(name)'],
  ['a stream by name', () => subscribe('work', 'events' as never, { handle }), 'second argument'],
  ['no handler', () => subscribe('work', events, {} as never), 'subscribe("work").handle'],
  [
    'a handler that is text',
    () => subscribe('work', events, { handle: 'go' as never }),
    'subscribe("work").handle',
  ],
  ['a misspelt option', () => subscribe('work', events, { handle, concurency: 4 } as never), 'concurrency'],
  [
    'concurrency as text',
    () => subscribe('work', events, { handle, concurrency: '4' as never }),
    'concurrency',
  ],
  ['a timeout of 0', () => subscribe('work', events, { handle, timeoutMs: 0 }), 'timeoutMs'],
  [
    'an unknown blocks',
    () => subscribe('work', events, { handle, failure: { blocks: 'all' } as never }),
    'failure.blocks',
  ],
  [
    'blocks: key without exhausted',
    () => subscribe('work', events, { handle, failure: { blocks: 'key' } as never }),
    'failure.exhausted',
  ],
  [
    'a retry that is a number',
    () => subscribe('work', events, { handle, failure: { retry: 3 } as never }),
    'failure.retry',
  ],
  ['a start that is a date', () => subscribe('work', events, { handle, from: new Date(0) as never }), 'from'],
  ['no subscriptions', () => defineApp({} as never), 'defineApp().subscriptions'],
  [
    'an object for a subscription',
    () => defineApp({ subscriptions: [{ name: 'x' }] as never }),
    'subscriptions[0]',
  ],
  [
    'two subscriptions of one name',
    () =>
      defineApp({
        subscriptions: [subscribe('work', events, { handle }), subscribe('work', events, { handle })],
      }),
    'one subscription named "work"',
  ],
  ['a sink that is a URL', () => defineApp({ subscriptions: [], notify: 'https://x' as never }), 'notify[0]'],
]

describe('an application with wrong types', () => {
  test.each(WRONG)('%s is refused where it is defined, by its path', (_name, define, path) => {
    expect(define).toThrow(InvalidOptionError)
    expect(define).toThrow(path)
  })

  test.each([undefined, null, 'app', {}, { kind: 'app', streams: [], subscriptions: [] }, () => {}])(
    'what defineApp did not make is refused before anything runs (%o)',
    async (app) => {
      await expect(harness(app as never)).rejects.toThrow('an application made with defineApp()')
      const engine = new SimWorld({ seed: 1 }).boot()
      await expect(startRuntime({ engine, app: app as never })).rejects.toThrow(InvalidOptionError)
    },
  )

  test('a handler of a wrong shape fails as a handler does, and the event is told (I9)', async () => {
    const app = defineApp({
      subscriptions: [
        subscribe('work', events, {
          failure: { rules: [] },
          handle: (event) => (event.data as { member: { id: string } }).member.id.toUpperCase(),
        }),
      ],
    })
    const h = await harness(app)
    await h.append('events', { key: 'a', id: 'a1', data: null })
    await h.settle()
    expect(await h.deadLetters('work')).toMatchObject([{ eventId: 'a1', lastError: { type: 'TypeError' } }])
    await h.close()
  })
})
