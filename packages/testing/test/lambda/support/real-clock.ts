import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '@eddy/core'

/** For tests of what lives in real time: processes. */
export const realClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  random: () => Math.random(),
  sleep: async (ms, signal) => {
    await delay(ms, undefined, signal && { signal }).catch(() => {})
  },
}
