import { setTimeout as sleepFor } from 'node:timers/promises'

/** Waits that grow: full jitter, so that clients that lost one server do not return to it in step. */
export interface Backoff {
  readonly initialMs: number
  readonly maxMs: number
}

/** Milliseconds before try `tries + 1`, after `tries` failed ones (1 or more). */
export function backoffDelayMs(
  tries: number,
  { initialMs, maxMs }: Backoff,
  random: () => number = Math.random,
): number {
  const ceilingMs = Math.min(maxMs, initialMs * 2 ** Math.min(tries - 1, 30))
  return Math.ceil(random() * ceilingMs)
}

/** Resolves after `ms`; rejects with the signal's reason as soon as it aborts. */
export async function wait(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted()
  try {
    await sleepFor(ms, undefined, signal === undefined ? {} : { signal })
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}
