/** An application whose billing fails for amounts of 0 and whose mail never finds customer c-3. */
export const APP_SOURCE = `
import { defineApp, fixed, stream, subscribe } from 'eddy'

interface Order { readonly id: string; readonly customer: string; readonly amount: number }

class PaymentDeclined extends Error {
  override name = 'PaymentDeclined'
}

const orders = stream<Order>('orders', { shards: 2 })

const billing = subscribe('billing', orders, {
  failure: { blocks: 'key', exhausted: 'hold', retry: fixed({ delayMs: 20, maxAttempts: 2, jitter: 'none' }) },
  handle: ({ data }) => {
    if (data.amount <= 0) throw new PaymentDeclined('order ' + data.id + ': amount ' + data.amount)
  },
})

const mail = subscribe('mail', orders, {
  failure: { retry: fixed({ delayMs: 20, maxAttempts: 2, jitter: 'none' }) },
  handle: ({ data }) => {
    if (data.customer === 'c-3') throw new Error('no address for ' + data.customer)
  },
})

export default defineApp({ subscriptions: [billing, mail] })
`
