import { type AppDefinition, defineApp, exponential, fixed, queue, stream, subscribe } from 'eddy'

interface Order {
  readonly id: string
  readonly customer: string
}

const orders = stream<Order>('orders', { shards: 2, retentionMs: 3 * 24 * 3_600_000 })
const clicks = stream('clicks', { limits: 'kinesis-on-demand' })
const emails = queue<{ readonly customer: string }>('emails', { group: 'customer' })

const charge = subscribe('charge', orders, {
  failure: { blocks: 'key', exhausted: 'hold', retry: fixed({ delayMs: 1_000, maxAttempts: 5 }) },
  handle: async (event, ctx) => {
    await ctx.send(emails, { data: { customer: event.data.customer } })
  },
})

const ledger = subscribe('ledger', orders, {
  failure: { blocks: 'shard', exhausted: 'dead-letter' },
  handle: () => undefined,
})

const count = subscribe('count', clicks, {
  from: 'latest',
  fanOut: true,
  failure: { blocks: 'nothing', retry: exponential({ maxAttempts: 4 }) },
  handle: () => undefined,
})

const mail = subscribe('mail', emails, {
  timeoutMs: 5_000,
  failure: { blocks: 'key', exhausted: 'dead-letter' },
  handle: () => undefined,
})

const app: AppDefinition = defineApp({ subscriptions: [charge, ledger, count, mail] })

export default app
