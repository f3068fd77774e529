import { InvalidOptionError } from '../errors/request-errors.ts'
import type { SubscriptionDefinition } from '../model/app.ts'
import type { Queue } from '../ports/queue.ts'

const MARGIN_MS = 60_000

/** Twice the handler's time and a minute: a message whose deadline leaves no room for a handler is given back. */
export function hiddenMs(longestCallMs: number, batchWaitMs = 0): number {
  return longestCallMs * 2 + MARGIN_MS + batchWaitMs
}

/** The most of a subscription's `timeoutMs` for which the engine's queues can hide a message; undefined: any. */
export function maxTimeoutMsOn(
  { maxVisibilityMs }: Pick<Queue, 'maxVisibilityMs'>,
  { batch, queue, threads }: Pick<SubscriptionDefinition, 'batch' | 'queue' | 'threads'>,
): number | undefined {
  if (maxVisibilityMs === undefined) return undefined
  if (queue === undefined) return Math.floor((maxVisibilityMs - hiddenMs(0)) / 2)
  // On threads a call may first wait as long for one to be free.
  const waits = threads > 0 ? 2 : 1
  return Math.floor((maxVisibilityMs - hiddenMs(0, batch?.maxWaitMs)) / 2 / waits)
}

/**
 * @param option - `subscribe("charge").timeoutMs`
 * @throws InvalidOptionError
 */
export function checkHiding(option: string, timeoutMs: number, maxTimeoutMs: number | undefined): void {
  if (maxTimeoutMs === undefined || timeoutMs <= maxTimeoutMs) return
  const expected = `at most ${maxTimeoutMs}, since the queues of this engine hide a message for only so long while it is handled; give each event less work`
  throw new InvalidOptionError(option, expected, timeoutMs)
}
