import { type AppDefinition, defineApp, open, stream, subscribe } from 'eddy'

const orders = stream('orders', { shards: 1 })

const app: AppDefinition = defineApp({
  subscriptions: [subscribe('charge', orders, { handle: () => undefined })],
})

if (process.env.SHOP_DATA !== undefined) await open(app, { dataDir: process.env.SHOP_DATA })

export default app
