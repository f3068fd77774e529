import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type AppDefinition, defineApp, fixed, stream, subscribe } from 'eddy'

/** Orders of customers, numbered from 0: what is done with each is written to a file that all workers append to. */
interface Order {
  readonly number: number
}

const handleMs = Number(process.env.ORDERS_HANDLE_MS ?? '15')
/** Of a token that a dead worker had received, twice this and a minute hide it. */
const TIMEOUT_MS = 2_000
const file = process.env.ORDERS_FILE ?? ''
const worker = process.env.ORDERS_WORKER ?? 'worker'
/** Attempts in a hundred that fail. */
const failing = Number(process.env.ORDERS_FAILING ?? '0')

const orders = stream<Order>('orders', { shards: Number(process.env.ORDERS_SHARDS ?? '4') })

const charge = subscribe('charge', orders, {
  concurrency: 32,
  timeoutMs: TIMEOUT_MS,
  failure: {
    blocks: 'key',
    exhausted: 'hold',
    retry: fixed({ delayMs: 1_000, maxAttempts: 20, jitter: 'none' }),
  },
  handle: async ({ data }, { key }) => {
    const note = (what: string): void => appendFileSync(file, `${what} ${worker} ${key} ${data.number}\n`)
    note('begin')
    await sleep(handleMs)
    if (Math.random() * 100 < failing) throw new Error('as often as the test says')
    note('end')
  },
})

const app: AppDefinition = defineApp({ subscriptions: [charge] })

export default app
