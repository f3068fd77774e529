import {
  type AppDefinition,
  defineApp,
  fixed,
  InvalidOptionError,
  list,
  StreamNotFoundError,
  SubscriptionNotFoundError,
  stream,
  subscribe,
} from '@eddy/core'
import { afterEach, describe, expect, test } from 'vitest'
import { type Harness, harness, InjectedFailure, NotSettledError, roughFaults } from '../../src/index.ts'

const orders = stream('orders', { shards: 2 })
const opened: Harness[] = []

async function open(app: AppDefinition, options?: Parameters<typeof harness>[1]): Promise<Harness> {
  const h = await harness(app, options)
  opened.push(h)
  return h
}

afterEach(async () => {
  for (const h of opened.splice(0)) await h.close()
})

function billing(handled: string[] = []): AppDefinition {
  return defineApp({
    subscriptions: [
      subscribe('billing', orders, {
        failure: {
          blocks: 'key',
          exhausted: 'dead-letter',
          retry: fixed({ delayMs: 60_000, maxAttempts: 3 }),
        },
        handle: async (event) => {
          await Promise.resolve()
          handled.push(event.id)
        },
      }),
    ],
  })
}

const event = (key: string, id: string) => ({ key, id, data: {} })

describe('harness', () => {
  test('runs the application’s own handler on what is appended', async () => {
    const handled: string[] = []
    const h = await open(billing(handled))
    const outcomes = await h.append(orders, [event('a', 'a1'), event('b', 'b1')])
    await h.settle()
    expect(outcomes.map((outcome) => outcome.ok)).toEqual([true, true])
    expect(handled.sort()).toEqual(['a1', 'b1'])
    expect(h.calls('billing')[0]).toMatchObject({
      eventId: 'a1',
      key: 'a',
      attempt: 1,
      path: 'live',
      outcome: 'ok',
      life: 1,
      durationMs: 0,
    })
  })

  test('a failing key is retried by policy, in order, while others flow', async () => {
    const handled: string[] = []
    const h = await open(billing(handled))
    h.fail('billing', { key: 'a', times: 2 })
    await h.append('orders', [event('a', 'a1'), event('a', 'a2'), event('b', 'b1')])
    await h.advance('59s')
    expect(handled).toEqual(['b1'])
    expect(await h.retrying('billing')).toMatchObject([{ eventId: 'a1', attempts: 1 }])
    expect(await h.held('billing')).toMatchObject([{ eventId: 'a2' }])
    await h.advance('1h')
    expect(h.attempts('billing', 'a1')).toBe(3)
    expect(h.order('billing', 'a')).toEqual(['a1', 'a2'])
    expect((await h.resolved('billing')).map((item) => item.eventId).sort()).toEqual(['a1', 'a2'])
    const failed = h.calls('billing').find((call) => call.outcome === 'failed')
    expect(failed?.error).toBeInstanceOf(InjectedFailure)
  })

  test('settle waits for what is due within its bound, and leaves later retries', async () => {
    const h = await open(billing())
    h.fail('billing', { eventId: 'a1' })
    await h.append('orders', event('a', 'a1'))
    await h.settle('30s')
    expect(h.attempts('billing', 'a1')).toBe(1)
    await h.settle()
    expect(h.attempts('billing', 'a1')).toBe(3)
    expect(await h.deadLetters('billing')).toMatchObject([
      { eventId: 'a1', attempts: 3, lastError: { type: 'InjectedFailure' } },
    ])
    expect(h.notices).toMatchObject([{ kind: 'key-held' }, { kind: 'dead-letter' }])
    expect(h.logs.map((line) => line.message)).toContain('an event was dead-lettered')
  })

  test('heal, and what fail returns, let the handler run again', async () => {
    const h = await open(billing())
    const undo = h.fail('billing', { type: 'orders.event' })
    h.fail('billing', { key: 'b', error: new TypeError('no') })
    await h.append('orders', [event('a', 'a1'), event('b', 'b1')])
    await h.advance('1s')
    undo()
    await h.advance('1m')
    expect(h.order('billing', 'a')).toEqual(['a1'])
    expect(h.order('billing', 'b')).toEqual([])
    h.heal('billing')
    await h.settle()
    expect(h.order('billing', 'b')).toEqual(['b1'])
  })

  test('with when: after, the handler’s effects stand when the call fails', async () => {
    const handled: string[] = []
    const h = await open(billing(handled))
    h.fail('billing', { times: 1, when: 'after', error: () => new RangeError('too late') })
    await h.append('orders', event('a', 'a1'))
    await h.settle()
    expect(handled).toEqual(['a1', 'a1'])
    expect(h.calls('billing').map((call) => call.outcome)).toEqual(['failed', 'ok'])
  })

  test('a delayed call takes its time, and counts as crashed when the process dies meanwhile', async () => {
    const h = await open(billing())
    h.delay('billing', { by: '5s', times: 1 })
    await h.append('orders', event('a', 'a1'))
    await h.advance('1s')
    expect(h.calls('billing')).toMatchObject([{ outcome: 'running', durationMs: undefined }])
    await h.crash()
    await h.settle()
    expect(h.calls('billing')).toMatchObject([
      { outcome: 'crashed', life: 1 },
      { outcome: 'ok', life: 2 },
    ])
  })

  test('a call that outlives its time counts as timed out', async () => {
    const h = await open(billing())
    h.delay('billing', { by: '40s', times: 1 })
    await h.append('orders', event('a', 'a1'))
    await h.settle()
    expect(h.calls('billing')).toMatchObject([
      { outcome: 'timed-out', durationMs: 30_000 },
      { outcome: 'ok' },
    ])
  })

  test('restart stops in good order and goes on where it was', async () => {
    const handled: string[] = []
    const h = await open(billing(handled))
    await h.append('orders', event('a', 'a1'))
    await h.settle()
    await h.restart()
    await h.append('orders', event('a', 'a2'))
    await h.settle()
    expect(handled).toEqual(['a1', 'a2'])
    expect(h.calls('billing').map((call) => call.life)).toEqual([1, 2])
  })

  test('operations are there to be awaited: dead letters are redriven and exported', async () => {
    const h = await open(billing())
    h.fail('billing')
    await h.append('orders', [event('a', 'a1'), event('b', 'b1')])
    await h.settle()
    h.heal('billing')
    const exported: string[] = []
    for await (const detail of h.operations.exportFailures({ status: 'dead' }))
      exported.push(detail.item.eventId)
    expect(exported.sort()).toEqual(['a1', 'b1'])
    await h.operations.startRedrive({ subscription: 'billing' }, { allowOutOfOrder: true })
    await h.settle()
    expect(await h.deadLetters('billing')).toEqual([])
    expect(h.calls('billing').at(-1)).toMatchObject({ path: 'redrive', outOfOrder: true, attempt: 4 })
  })

  test('one seed, one run: also with faults', async () => {
    const run = async (seed: number) => {
      const h = await open(billing(), { seed, faults: roughFaults })
      h.fail('billing', { times: 5 })
      await h.append('orders', [event('a', 'a1'), event('b', 'b1'), event('a', 'a2')])
      await h.advance('5m')
      return h.calls('billing').map((call) => `${call.startedAtMs} ${call.eventId} ${call.outcome}`)
    }
    const first = await run(7)
    expect(await run(7)).toEqual(first)
    expect(await run(8)).not.toEqual(first)
  })

  test('names that the application does not have, and options of a wrong form, are refused', async () => {
    const h = await open(billing())
    expect(() => h.fail('biling')).toThrow(SubscriptionNotFoundError)
    expect(() => h.delay('biling', { by: 1 })).toThrow(SubscriptionNotFoundError)
    expect(() => h.heal('biling')).toThrow(SubscriptionNotFoundError)
    expect(() => h.calls('biling')).toThrow(SubscriptionNotFoundError)
    expect(() => h.order('biling', 'a')).toThrow(SubscriptionNotFoundError)
    await expect(h.deadLetters('biling')).rejects.toThrow(SubscriptionNotFoundError)
    await expect(h.append('order', event('a', 'a1'))).rejects.toThrow(StreamNotFoundError)
    await expect(h.advance('1 hour' as never)).rejects.toThrow(InvalidOptionError)
    await expect(h.advance(-1)).rejects.toThrow('advance(): expected milliseconds, or a text such as')
    await expect(harness({ subscriptions: [] } as never)).rejects.toThrow(InvalidOptionError)
  })

  test('settle says what keeps it', async () => {
    const app = defineApp({
      subscriptions: [
        subscribe('slow', orders, {
          timeoutMs: 10 * 3_600_000,
          failure: { retry: list([]) },
          handle: () => new Promise(() => {}),
        }),
      ],
    })
    const h = await open(app)
    await h.append('orders', event('a', 'a1'))
    await expect(h.settle('1m')).rejects.toThrow(NotSettledError)
    await expect(h.settle('1m')).rejects.toThrow('1 handlers of "slow" are running')
  })
})
