import { type AppDefinition, defineApp, exponential, stream, subscribe } from 'eddy'
import { type Visit, welcome } from './welcome.ts'

const visits = stream<Visit>('visits', { shards: 2 })

const app: AppDefinition = defineApp({
  subscriptions: [
    subscribe('welcome', visits, {
      // When the old mapping was disabled, and a little before.
      from: { timestampMs: Date.parse('2026-01-31T09:55:00Z') },
      // 'shard' is what the old mapping did. 'key' keeps the order that matters, and lets the others flow.
      failure: { blocks: 'key', exhausted: 'hold', retry: exponential({ maxAttempts: 8 }) },
      handle: ({ data }) => welcome(data),
    }),
  ],
})

export default app
