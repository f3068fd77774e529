import { type AppDefinition, defineApp, list, queue, stream, subscribe } from 'eddy'

/** It makes every call that an application can make: appends, sends, large payloads, delays of every length. */
interface Order {
  readonly customer: string
  readonly fails: boolean
  readonly filling?: string
}

const orders = stream<Order>('orders', { shards: 1, retentionMs: 24 * 3_600_000 })
const charged = stream('charged', { shards: 1, retentionMs: 24 * 3_600_000 })
const emails = queue<Order>('emails', { group: 'customer' })

const refuse = ({ fails }: Order): void => {
  if (fails && process.env.REPAIRED === undefined) throw new Error('not yet')
}

const charge = subscribe('charge', orders, {
  // The second delay is more than SQS can, so it is a schedule.
  failure: { blocks: 'key', exhausted: 'hold', retry: list([1_000, 1_200_000, 1_200_000]) },
  handle: async ({ data }, ctx) => {
    refuse(data)
    await ctx.append(charged, { key: data.customer, type: 'charged', data: {} })
    await ctx.send(emails, { data: { customer: data.customer, fails: true } })
  },
})

const mail = subscribe('mail', emails, {
  failure: { blocks: 'key', exhausted: 'dead-letter', retry: list([1_000]) },
  handle: ({ data }) => refuse(data),
})

const app: AppDefinition = defineApp({ streams: [charged], subscriptions: [charge, mail] })

export default app
