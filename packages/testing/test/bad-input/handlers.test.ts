import { type FailureOptions, fixed, list } from '@eddy/core'
import { describe, expect, test } from 'vitest'
import { event, events, oneSubscription, openHarness } from '../support/one-subscription.ts'

const retry = list([1_000])
const EVERY: readonly FailureOptions[] = [
  { blocks: 'nothing', retry },
  { blocks: 'key', exhausted: 'dead-letter', retry },
  { blocks: 'shard', exhausted: 'dead-letter', retry },
]

describe('a handler that never returns', () => {
  test.each(EVERY)(
    'times out, is told, and ends as a dead letter; the stream goes on (%o, I9)',
    async (failure) => {
      const aborted: unknown[] = []
      const app = oneSubscription(failure, {
        concurrency: 1,
        timeoutMs: 2_000,
        handle: (one, ctx) => {
          if (one.id !== 'stuck') return undefined
          ctx.signal.addEventListener('abort', () => aborted.push(ctx.signal.reason))
          return new Promise(() => {})
        },
      })
      const h = await openHarness(app)
      await h.append('events', [event('a', 'stuck'), event('b', 'b1'), event('a', 'a2')])
      await h.settle()
      expect(await h.deadLetters('work')).toMatchObject([
        {
          eventId: 'stuck',
          attempts: 2,
          lastError: { type: 'HandlerTimeoutError', code: 'EDDY_HANDLER_TIMEOUT' },
        },
      ])
      expect(aborted).toMatchObject([{ code: 'EDDY_HANDLER_TIMEOUT' }, { code: 'EDDY_HANDLER_TIMEOUT' }])
      expect(h.order('work', 'b')).toEqual(['b1'])
      expect(h.order('work', 'a')).toEqual(['a2'])
      expect(await h.operations.metrics()).toMatch(/eddy_abandoned_handlers\{subscription="work"\} 2/)
    },
  )

  test('does not keep the process from stopping; its event comes again (I2, I9)', async () => {
    const h = await openHarness(oneSubscription({ retry }, { timeoutMs: 3_600_000 }))
    h.delay('work', { by: Number.POSITIVE_INFINITY, times: 1 })
    await h.append('events', event('a', 'a1'))
    await h.advance('1s')
    const beforeMs = h.clock.monotonicMs()
    await h.restart()
    expect(h.clock.monotonicMs() - beforeMs).toBeLessThan(30_000)
    await h.settle()
    expect(h.order('work', 'a')).toEqual(['a1'])
  })
})

describe('a handler that throws what is no Error', () => {
  const unreadable = new Proxy(
    {},
    { get: unreadableGet, getPrototypeOf: unreadableGet, ownKeys: unreadableGet },
  )
  const hostile = Object.defineProperty(new Error('x'), 'message', { get: unreadableGet })
  const values: readonly [string, unknown][] = [
    ['undefined', undefined],
    ['null', null],
    ['a string', 'no stock'],
    ['a number', 42],
    ['a bigint', 42n],
    ['a symbol', Symbol('no stock')],
    ['a function', () => {}],
    ['a circular object', circular()],
    ['an object that cannot be read', unreadable],
    ['an error whose message cannot be read', hostile],
    ['an error without a prototype', Object.create(null, { message: { value: 'bare' } })],
  ]

  test.each(values)('%s is retried, and told in its dead letter (I9)', async (_name, value) => {
    for (const how of ['throws', 'rejects'] as const) {
      const handle = (): unknown => {
        if (how === 'rejects') return Promise.reject(value)
        throw value
      }
      const h = await openHarness(
        oneSubscription({ blocks: 'key', exhausted: 'dead-letter', retry }, { handle }),
      )
      await h.append('events', event('a', 'a1'))
      await h.settle()
      const [dead] = await h.deadLetters('work')
      expect(dead).toMatchObject({ eventId: 'a1', attempts: 2 })
      expect(dead?.lastError?.type).toMatch(/^(NonError|Error)$/)
      expect(dead?.lastError?.message).toEqual(expect.any(String))
      expect(dead?.lastError?.fingerprint).toMatch(/\w/)
    }
  })

  test('a thenable that settles twice counts as it settled first', async () => {
    const handle = (): unknown => ({
      // biome-ignore lint/suspicious/noThenProperty: a thenable that misbehaves is what is tested
      then(resolve: () => void, reject: (error: Error) => void) {
        resolve()
        reject(new Error('too late'))
        throw new Error('much too late')
      },
    })
    const h = await openHarness(oneSubscription({ retry }, { handle }))
    await h.append('events', event('a', 'a1'))
    await h.settle()
    expect(h.attempts('work', 'a1')).toBe(1)
    expect(await h.failures()).toEqual([])
  })

  test('a thenable whose then throws counts as failed', async () => {
    const handle = (): unknown => ({
      // biome-ignore lint/suspicious/noThenProperty: a thenable that misbehaves is what is tested
      get then() {
        throw new TypeError('no then')
      },
    })
    const h = await openHarness(oneSubscription({ retry }, { handle }))
    await h.append('events', event('a', 'a1'))
    await h.settle()
    expect(await h.deadLetters('work')).toMatchObject([{ attempts: 2, lastError: { message: 'no then' } }])
  })
})

describe('ten thousand keys that fail at once', () => {
  test('each waits for itself alone; all are handled in order in the end (I2, I3, I4, I6)', async () => {
    const keys = 10_000
    const followed = 1_000
    const h = await openHarness(
      oneSubscription(
        { blocks: 'key', exhausted: 'hold', retry: fixed({ delayMs: 60_000, maxAttempts: 5 }) },
        { shards: 4, concurrency: 100 },
      ),
    )
    h.fail('work', { type: 'failing', attempts: 1 })
    const first = events(keys, keys)
    await h.append(
      'events',
      first.map((one) => ({ ...one, type: 'failing' })),
    )
    await h.append(
      'events',
      first.slice(0, followed).map((one) => event(one.key, `${one.key}-1`)),
    )
    await h.append('events', event('well', 'well-0'))
    await h.advance('30s')
    expect(h.order('work', 'well')).toEqual(['well-0'])
    expect(await h.operations.showSubscription('work')).toMatchObject({
      heldKeys: keys,
      retrying: keys,
      held: followed,
      lagRecords: 0,
    })
    await h.crash()
    await h.settle()
    expect(await h.operations.showSubscription('work')).toMatchObject({
      heldKeys: 0,
      retrying: 0,
      held: 0,
      dead: 0,
    })
    const wrong = first.filter(({ key }, index) => {
      const expected = index < followed ? `${key}-0,${key}-1` : `${key}-0`
      return h.order('work', key).join() !== expected
    })
    expect(wrong).toEqual([])
  }, 120_000)
})

function circular(): object {
  const value: { self?: object } = {}
  value.self = value
  return value
}

function unreadableGet(): never {
  throw new Error('cannot be read')
}
