/** Rates do not begin at nothing: the second start of a ramp would be a long time in coming. */
const LEAST_SHARE = 0.1

/** How far a ramp has come: 0 at its begin, 1 at its end. All times are monotonic. */
export function rampShare(beganMs: number, rampMs: number, nowMs: number): number {
  if (rampMs <= 0) return 1
  return Math.min(1, Math.max(0, (nowMs - beganMs) / rampMs))
}

/** A rate within a ramp. */
export function rampedRate(ratePerSecond: number, share: number): number {
  return ratePerSecond * Math.max(LEAST_SHARE, share)
}

/** Handlers at a time within a ramp: from what the probing had up to all. */
export function rampedLimit(concurrency: number, probeConcurrency: number, share: number): number {
  return Math.min(concurrency, Math.max(probeConcurrency, Math.ceil(concurrency * share)))
}

/** When a ramp will allow for `limit` handlers at a time. */
export function rampedLimitAtMs(beganMs: number, rampMs: number, concurrency: number, limit: number): number {
  // One more than is allowed for now: `ceil` gets there just after.
  return beganMs + (rampMs * (limit - 1)) / concurrency + 1
}
