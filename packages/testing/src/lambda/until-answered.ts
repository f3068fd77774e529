import type { Clock } from '@eddy/core'

const WAIT_MS = 1_000
/** In a row; the service has no such limit, but a test should hear of it. */
const MAX_FAILURES = 20

/**
 * Asks a source until it answers: the service's pollers try again for as long as it takes, and what cannot be read is behind,
 * not given up.
 *
 * @returns undefined once the mapping stops
 * @throws what the source throws, twenty times in a row
 */
export async function untilAnswered<T>(
  clock: Clock,
  stopping: AbortSignal,
  ask: () => Promise<T>,
): Promise<T | undefined> {
  for (let failures = 1; !stopping.aborted; failures += 1) {
    try {
      return await ask()
    } catch (error) {
      if (stopping.aborted) return undefined
      if (failures === MAX_FAILURES) throw error
      await clock.sleep(WAIT_MS, stopping)
    }
  }
  return undefined
}
