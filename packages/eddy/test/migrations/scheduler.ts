import { type AppDefinition, defineApp, list, queue, subscribe } from 'eddy'
import { type Visit, welcome } from './welcome.ts'

const MINUTE_MS = 60_000

const welcomes = queue<Visit>('welcomes')

const app: AppDefinition = defineApp({
  subscriptions: [
    subscribe('welcome', welcomes, {
      failure: {
        retry: list([10 * MINUTE_MS, 60 * MINUTE_MS, 24 * 60 * MINUTE_MS]),
        exhausted: 'dead-letter',
      },
      handle: ({ data }) => welcome(data),
    }),
  ],
})

export default app
