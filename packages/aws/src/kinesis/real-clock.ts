import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '@eddy/core'

const MAX_TIMER_MS = 2 ** 31 - 1

/** The machine's. */
export const realClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: async (ms, signal) => {
    if (signal?.aborted) return
    await delay(Math.min(MAX_TIMER_MS, Math.max(0, Math.ceil(ms))), undefined, signal && { signal }).catch(
      () => {},
    )
  },
  random: () => Math.random(),
}
