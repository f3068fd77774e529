import { type AppDefinition, defineApp, list, stream, subscribe } from '@eddy/core'
import { describe, expect, test } from 'vitest'
import { event, openHarness } from '../support/one-subscription.ts'

const orders = stream('orders', { shards: 2 })
const mails = stream('mails', { shards: 1 })

describe('what a handler does through its context', () => {
  test('a step is done once, and a derived event appended once, over retries and a crash (I7)', async () => {
    let charged = 0
    const app: AppDefinition = defineApp({
      subscriptions: [
        subscribe('billing', orders, {
          failure: { blocks: 'key', exhausted: 'hold', retry: list([1_000, 1_000, 1_000]) },
          handle: async (_event, ctx) => {
            const number = await ctx.step('charge', () => {
              charged += 1
              return charged
            })
            await ctx.append(mails, { key: ctx.key, data: { number } })
            if (ctx.attempt < 3) throw new Error('after everything was done')
          },
        }),
        subscribe('mail', mails, { handle: () => {} }),
      ],
    })
    const h = await openHarness(app)
    await h.append(orders, [event('a', 'a1'), event('a', 'a2')])
    await h.advance('1500ms')
    await h.crash()
    await h.settle()
    expect(charged).toBe(2)
    const mailed = h.calls('mail').map((call) => [call.eventId, call.event.data])
    expect(mailed).toEqual([
      ['a1/billing/0.0', { number: 1 }],
      ['a2/billing/0.0', { number: 2 }],
    ])
    expect(h.world.store.allRecords('mails')).toHaveLength(2)
  })

  test('onExhausted undoes what finished steps did, before the event is dead (I7)', async () => {
    const told: string[] = []
    const app = defineApp({
      subscriptions: [
        subscribe('billing', orders, {
          failure: { retry: list([1_000]) },
          handle: async (_event, ctx) => {
            await ctx.step('reserve', () => told.push('reserved'))
            throw new Error('no stock')
          },
          onExhausted: async (_event, ctx) => {
            const done = await ctx.step('reserve', () => 'not reserved')
            told.push(`undone ${done} after ${ctx.attempt}`)
          },
        }),
      ],
    })
    const h = await openHarness(app)
    await h.append(orders, event('a', 'a1'))
    await h.settle()
    expect(told).toEqual(['reserved', 'undone 1 after 2'])
    expect(await h.deadLetters('billing')).toHaveLength(1)
  })

  test('events append derived ones whatever the length of their names and ids, over many hops (I9)', async () => {
    const longName = 'n'.repeat(120)
    const app = defineApp({
      subscriptions: [
        subscribe(longName, orders, {
          failure: { retry: list([1_000]) },
          handle: async (received, ctx) => {
            const { hops } = received.data as { hops: number }
            if (hops > 0) await ctx.append(orders, { key: ctx.key, data: { hops: hops - 1 } })
            if (ctx.attempt === 1) throw new Error('after the append')
          },
        }),
      ],
    })
    const h = await openHarness(app)
    await h.append(orders, event('a', 'i'.repeat(1_024), { hops: 20 }))
    await h.settle()
    expect(await h.deadLetters(longName)).toEqual([])
    const ids = h.order(longName, 'a')
    expect(new Set(ids).size).toBe(21)
    const derived = ids.filter((id) => !id.startsWith('iii'))
    expect(derived).toHaveLength(20)
    expect(Math.max(...derived.map((id) => id.length))).toBeLessThanOrEqual(120)
    expect(h.world.store.allRecords('orders')).toHaveLength(21)
  })

  test('events with one id on two keys have steps of their own', async () => {
    const charged: string[] = []
    const app = defineApp({
      subscriptions: [
        subscribe('billing', orders, {
          handle: async (_event, ctx) => {
            await ctx.step('charge', () => charged.push(ctx.key))
          },
        }),
      ],
    })
    const h = await openHarness(app)
    await h.append(orders, event('a', 'same'))
    await h.settle()
    await h.append(orders, event('b', 'same'))
    await h.settle()
    expect(charged).toEqual(['a', 'b'])
  })

  test('a step is not done again when its event is redriven long after the retention of what is over', async () => {
    const charged: string[] = []
    const app = defineApp({
      streams: [mails],
      subscriptions: [
        subscribe('billing', orders, {
          failure: { blocks: 'key', exhausted: 'hold', retry: list([1_000]) },
          ledgerRetentionMs: 60_000,
          handle: async (_event, ctx) => {
            await ctx.step('charge', () => charged.push(ctx.eventId))
            await ctx.append(mails, { key: ctx.key, data: {} })
            if (ctx.attempt <= 2) throw new Error('after everything was done')
          },
        }),
      ],
    })
    const h = await openHarness(app)
    await h.append(orders, event('a', 'a1'))
    await h.advance('10m')
    await h.operations.startRedrive({ subscription: 'billing', status: 'held' })
    await h.settle()
    expect(h.attempts('billing', 'a1')).toBe(3)
    expect(charged).toEqual(['a1'])
    expect(h.world.store.allRecords('mails')).toHaveLength(1)
  })
})
