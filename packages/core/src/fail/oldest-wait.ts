import type { Clock } from '../ports/clock.ts'
import type { Ledger } from './ledger.ts'

/** Events that wait for a person lie among those that wait behind others. */
const LOOKED_AT = 50

/** How long the event has waited that waits longest for something other than a person, milliseconds; 0: none does. */
export async function oldestWaitMs(ledger: Ledger, clock: Clock): Promise<number> {
  // The first of each status came into it longest ago.
  const pages = await Promise.all([
    ledger.byStatus('retrying', { limit: 1 }),
    ledger.byStatus('held', { limit: LOOKED_AT }),
  ])
  const waiting = pages.flatMap(({ entries }) => entries).filter(({ item }) => item.parked !== true)
  const sinceMs = waiting.map(({ item }) => item.statusAtMs)
  return sinceMs.length === 0 ? 0 : Math.max(0, clock.now() - Math.min(...sinceMs))
}
