/** How SQS counts time. */
export const MAX_DELAY_SECONDS = 900
export const MAX_VISIBILITY_MS: number = 12 * 3_600_000

/** Whole seconds, never less than was asked for (I5). */
export function secondsOf(ms: number): number {
  return Math.ceil(Math.max(0, ms) / 1_000)
}
/** From a receive on SQS hides a message for twelve hours at the most; it may have been received a while ago. */
export const MAX_HIDDEN_MS: number = MAX_VISIBILITY_MS - 3_600_000
