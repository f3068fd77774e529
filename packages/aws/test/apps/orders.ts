import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type AppDefinition, defineApp, fixed, stream, subscribe } from 'eddy'

/**
 * Orders of customers, numbered from 0: what is done with each is written to a file that all workers append to, with its
 * shard and the time.
 */
interface Order {
  readonly number: number
}

const HANDLE_MS = 15
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
  handle: async ({ data }, { key, shardId }) => {
    const note = (what: string): void =>
      appendFileSync(file, `${what} ${worker} ${key} ${data.number} ${shardId} ${Date.now()}\n`)
    note('begin')
    await sleep(HANDLE_MS)
    const fails = Math.random() * 100 < failing
    note(fails ? 'fail' : 'end')
    if (fails) throw new Error('as often as the test says')
  },
})

const app: AppDefinition = defineApp({ subscriptions: [charge] })

export default app
