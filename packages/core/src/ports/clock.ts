/**
 * The only source of time and chance. Core never reads another clock.
 */
export interface Clock {
  /** Wall time in epoch milliseconds. May jump in both directions. */
  now(): number
  /** Milliseconds since an arbitrary start; never falls. Deadlines are measured on it. */
  monotonicMs(): number
  /** Resolves after `ms` (0 or less: on the next turn), or early when `signal` aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** A number in [0, 1). */
  random(): number
}
