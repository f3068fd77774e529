import { setMaxListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '@eddy/core'

const MAX_TIMER_MS = 2 ** 31 - 1

/** The machine's own time and chance. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  random: () => Math.random(),
  async sleep(ms, signal) {
    // One signal ends many waits: each of them listens.
    if (signal !== undefined) setMaxListeners(0, signal)
    const untilMs = performance.now() + ms
    let leftMs = ms
    do {
      if (signal?.aborted === true) return
      const timerMs = Math.min(MAX_TIMER_MS, Math.max(0, Math.ceil(leftMs)))
      await delay(timerMs, undefined, signal && { signal }).catch(() => {})
      // A timer may fire a fraction of a millisecond early, and long waits take several timers.
      leftMs = untilMs - performance.now()
    } while (leftMs > 0)
  },
}
