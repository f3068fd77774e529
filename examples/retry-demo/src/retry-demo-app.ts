import {
  type AppDefinition,
  type Blocks,
  defineApp,
  type FailureOptions,
  fixed,
  type NotifySink,
  stream,
  subscribe,
} from 'eddy'
import type { AttemptLog } from './attempt-log.ts'
import { type MailServer, type Visit, welcome } from './welcome.ts'

export const VARIANTS: readonly Blocks[] = ['nothing', 'key', 'shard']

export function streamOf(blocks: Blocks): string {
  return `visits-${blocks}`
}

export function subscriptionOf(blocks: Blocks): string {
  return `welcome-${blocks}`
}

export interface RetryDemoOptions {
  readonly mail: MailServer
  readonly log: AttemptLog
  /** Between two attempts; default 1,000. */
  readonly retryDelayMs?: number
  readonly notify?: NotifySink
}

/** Three streams of one shard with one subscription each, alike but for what waits while a failed event is retried. */
export function retryDemoApp(options: RetryDemoOptions): AppDefinition {
  const { mail, log, retryDelayMs = 1_000, notify } = options
  const subscriptions = VARIANTS.map((blocks) =>
    subscribe(subscriptionOf(blocks), stream<Visit>(streamOf(blocks), { shards: 1 }), {
      failure: failureOptions(blocks, retryDelayMs),
      handle: async (event, ctx) => {
        const { visitor } = event.data
        const { subscription, eventId, attempt, path } = ctx
        const record = (result: 'handled' | 'failed') =>
          log.add({ subscription, eventId, visitor, attempt, path, result, at: new Date().toISOString() })
        try {
          await welcome(event.data, mail)
        } catch (error) {
          record('failed')
          throw error
        }
        record('handled')
      },
    }),
  )
  return defineApp({ subscriptions, ...(notify === undefined ? {} : { notify }) })
}

/** One live attempt and three retries; then the event is dead, and what waited behind it goes on. */
function failureOptions(blocks: Blocks, delayMs: number): FailureOptions {
  const retry = fixed({ delayMs, maxAttempts: 4, jitter: 'none' })
  if (blocks === 'key') return { blocks, retry, exhausted: 'dead-letter' }
  if (blocks === 'shard') return { blocks, retry, exhausted: 'dead-letter' }
  return { blocks, retry, exhausted: 'dead-letter' }
}
