import { type AppDefinition, defineApp, exponential, type StreamDefinition, stream, subscribe } from 'eddy'
import type { Clap } from './clap.ts'
import type { ClapCounts } from './clap-counts.ts'
import type { InFlight } from './in-flight.ts'

export const CLAPS: StreamDefinition<Clap> = stream<Clap>('claps', { shards: 2 })

export interface ClapsOptions {
  readonly counts: ClapCounts
  /** Called before and after the count; a test throws here. */
  readonly disturb?: () => void | Promise<void>
  readonly inFlight?: InFlight
}

/**
 * Counts claps per post. A failing event blocks nothing: the next one of its key carries the full state anyway, and an
 * older one that comes late is recognised by its version.
 */
export function clapsApp({ counts, disturb = () => {}, inFlight }: ClapsOptions): AppDefinition {
  const counting = subscribe('claps-per-post', CLAPS, {
    failure: { blocks: 'nothing', retry: exponential({ maxAttempts: 12, initialMs: 10, maxMs: 1_000 }) },
    handle: async ({ data: clap }) => {
      inFlight?.begin()
      try {
        await disturb()
        counts.apply(clap)
        await disturb()
      } finally {
        inFlight?.end()
      }
    },
  })
  return defineApp({ subscriptions: [counting] })
}
