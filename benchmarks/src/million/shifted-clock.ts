import type { Clock } from '@eddy/core'
import { systemClock } from '@eddy/embedded'

/** The machine's clock, whose wall time can be set forward: everything that is due within that time is due at once. */
export class ShiftedClock implements Clock {
  #shiftMs = 0

  setForward(ms: number): void {
    this.#shiftMs += ms
  }

  now(): number {
    return systemClock.now() + this.#shiftMs
  }

  monotonicMs(): number {
    return systemClock.monotonicMs()
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return systemClock.sleep(ms, signal)
  }

  random(): number {
    return systemClock.random()
  }
}
