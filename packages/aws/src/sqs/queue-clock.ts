/** How SQS counts time. */
export const MAX_DELAY_SECONDS = 900
export const MAX_VISIBILITY_MS: number = 12 * 3_600_000

/** Whole seconds, never less than was asked for (I5). */
export function secondsOf(ms: number): number {
  return Math.ceil(Math.max(0, ms) / 1_000)
}
/** Of a message that was just received, or was received some time ago. */
export const MAX_HIDDEN_MS: number = MAX_VISIBILITY_MS - 60_000
