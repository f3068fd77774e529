import {
  type AppDefinition,
  defineApp,
  exponential,
  outcome,
  type StreamDefinition,
  stream,
  subscribe,
} from '@eddy/core'

interface Order {
  readonly cents: number
}

export const orders: StreamDefinition<Order> = stream<Order>('orders', { shards: 4 })

export function createApp(charge: (memberId: string, cents: number) => Promise<void>): AppDefinition {
  return defineApp({
    subscriptions: [
      subscribe('billing', orders, {
        failure: {
          blocks: 'key',
          exhausted: 'hold',
          retry: exponential({ maxAttempts: 4, initialMs: 60_000 }),
        },
        handle: async (event, ctx) => {
          if (event.data.cents < 0) throw outcome.deadLetter('an order below zero')
          await charge(ctx.key, event.data.cents)
        },
      }),
    ],
  })
}
