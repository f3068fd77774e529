import type { Clock } from '@eddy/core'
import { manyWaiters } from './many-waiters.ts'

const LONGEST_TIMER_MS = 2_147_483_647

/** The machine's own time and chance. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  random: () => Math.random(),
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve()
    if (signal !== undefined) manyWaiters(signal)
    return new Promise((resolve) => {
      const untilMs = performance.now() + ms
      let cancel = ms <= 0 ? onNextTurn(done) : afterMs(done, ms)
      signal?.addEventListener('abort', aborted, { once: true })
      function done(): void {
        // A timer may fire a fraction of a millisecond early, and long waits take several timers.
        const leftMs = untilMs - performance.now()
        if (leftMs > 0) {
          cancel = afterMs(done, leftMs)
          return
        }
        signal?.removeEventListener('abort', aborted)
        resolve()
      }
      function aborted(): void {
        cancel()
        resolve()
      }
    })
  },
}

function onNextTurn(done: () => void): () => void {
  const immediate = setImmediate(done)
  return () => clearImmediate(immediate)
}

function afterMs(done: () => void, ms: number): () => void {
  const timer = setTimeout(done, Math.min(Math.ceil(ms), LONGEST_TIMER_MS))
  return () => clearTimeout(timer)
}
