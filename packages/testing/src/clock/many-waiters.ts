import { setMaxListeners } from 'node:events'

/**
 * Any number may wait on a signal: one a subscription, a shard, a queue. Node takes more than ten for a leak and prints a
 * warning. Whoever waits takes its listener away again.
 */
export function manyWaiters(signal: AbortSignal | undefined): void {
  if (signal !== undefined) setMaxListeners(0, signal)
}
