import type { Jitter, RetryPolicy } from '../model/failure.ts'

/** No delay is longer, whatever the policy says: the queue's own limit. */
export const MAX_DELAY_MS: number = 365 * 24 * 3_600_000

/**
 * How long to wait after the `delivery`-th delivery failed (1: after the first).
 *
 * The jitters are those of the AWS Architecture Blog, "Exponential Backoff and Jitter" (Marc Brooker, 2015): `full`
 * spreads over all of the delay, `equal` over its upper half, `decorrelated` between the first delay and three times
 * the one before. Only an exponential policy has `decorrelated`; elsewhere it means `full`.
 *
 * @param previousDelayMs - the delay that was chosen before; only `decorrelated` asks for it
 * @param random - a number in [0, 1)
 * @returns whole milliseconds from 0 to 365 days, finite for every delivery number and never over the policy's
 * `maxMs`; undefined when the policy ends here (a negative entry of a list, or a list that is used up)
 */
export function backoffDelayMs(
  policy: RetryPolicy,
  delivery: number,
  previousDelayMs: number | undefined,
  random: () => number,
): number | undefined {
  const step = Math.max(1, delivery)
  switch (policy.kind) {
    case 'exponential': {
      const limitMs = bounded(policy.maxMs)
      if (policy.jitter === 'decorrelated') {
        const previous = previousDelayMs ?? policy.initialMs
        const lowMs = bounded(Math.min(policy.initialMs, limitMs))
        return between(lowMs, Math.max(lowMs, Math.min(limitMs, bounded(previous * 3))), random)
      }
      return jittered(exponentialMs(policy.initialMs, policy.factor, step, limitMs), policy.jitter, random)
    }
    case 'linear': {
      const limitMs = bounded(policy.maxMs)
      return jittered(
        Math.min(limitMs, bounded(policy.initialMs + policy.stepMs * (step - 1))),
        policy.jitter,
        random,
      )
    }
    case 'fixed':
      return jittered(bounded(policy.delayMs), policy.jitter, random)
    case 'list': {
      const delayMs = policy.delaysMs[step - 1]
      if (delayMs === undefined || delayMs < 0) return undefined
      return jittered(bounded(delayMs), policy.jitter, random)
    }
  }
}

/** The power overflows to Infinity long before the delivery number ends; times 0 that is not a number, and bounded to 0. */
function exponentialMs(initialMs: number, factor: number, step: number, limitMs: number): number {
  return Math.min(limitMs, bounded(initialMs * factor ** (step - 1)))
}

function jittered(delayMs: number, jitter: Jitter, random: () => number): number {
  switch (jitter) {
    case 'none':
      return delayMs
    case 'equal':
      return between(Math.ceil(delayMs / 2), delayMs, random)
    case 'full':
    case 'decorrelated':
      return between(0, delayMs, random)
  }
}

/** A whole number from `low` to `high`, both included. */
function between(low: number, high: number, random: () => number): number {
  return Math.min(high, low + Math.floor(random() * (high - low + 1)))
}

function bounded(delayMs: number): number {
  if (Number.isNaN(delayMs)) return 0
  return Math.floor(Math.min(MAX_DELAY_MS, Math.max(0, delayMs)))
}
