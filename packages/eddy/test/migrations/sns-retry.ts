import { type AppDefinition, defineApp, list, stream, subscribe } from 'eddy'
import { type Visit, welcome } from './welcome.ts'

const visits = stream<Visit>('visits', { shards: 2 })

const app: AppDefinition = defineApp({
  subscriptions: [
    subscribe('welcome', visits, {
      from: { timestampMs: Date.parse('2026-01-31T09:55:00Z') },
      failure: {
        // The stream flows on, as it did.
        blocks: 'nothing',
        // The same two retries, after one minute and after two more. Now they may be any.
        retry: list([60_000, 120_000]),
        // What was the dead-letter queue: with payload, key, every attempt and the reason, until somebody acts.
        exhausted: 'dead-letter',
      },
      handle: ({ data }) => welcome(data),
    }),
  ],
})

export default app
