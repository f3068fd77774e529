import { defineApp, exponential, fixed, stream, subscribe } from 'eddy'

interface Order {
  readonly id: string
  readonly customer: string
  readonly amount: number
}

const orders = stream<Order>('orders', { shards: 2 })

// Completeness first: a customer's orders are charged in order. One that cannot be charged keeps this customer's
// next ones waiting until a person decides; other customers never notice.
const billing = subscribe('billing', orders, {
  failure: { blocks: 'key', exhausted: 'hold', retry: fixed({ delayMs: 100, maxAttempts: 3 }) },
  handle: ({ data }) => {
    if (data.amount <= 0) throw new RangeError(`order ${data.id}: amount ${data.amount} cannot be charged`)
  },
})

// Real time first: nothing waits for a mail that fails. After 4 attempts it is a dead letter.
const mail = subscribe('mail', orders, {
  failure: { blocks: 'nothing', retry: exponential({ maxAttempts: 4, initialMs: 50 }) },
  handle: ({ data }) => {
    if (process.env.MAIL_SERVER !== 'up') throw new Error(`mail server down: order ${data.id} not confirmed`)
  },
})

export default defineApp({ subscriptions: [billing, mail] })
