import { isEddyError } from '../errors/eddy-error.ts'
import { retryAfterMsOf } from '../errors/stream-errors.ts'
import type { Logger } from '../observe/logger.ts'
import type { Clock } from '../ports/clock.ts'

/** Thrown inside the runtime when it stops; never reaches a user. What it interrupts stays unresolved. */
export class Stopped extends Error {
  constructor() {
    super('the runtime is stopping')
    this.name = 'Stopped'
  }
}

const FIRST_WAIT_MS = 50
const MAX_WAIT_MS = 5_000
const LAST_TRIES = 5

/**
 * Repeats a storage step until it succeeds or the runtime stops: a full disk or a throttled table makes the stream
 * wait, and loses nothing (I2, I9). Errors that no repetition can mend are thrown on.
 */
export async function persist<T>(
  clock: Clock,
  signal: AbortSignal,
  logger: Logger,
  what: string,
  step: () => Promise<T>,
): Promise<T> {
  let waitMs = FIRST_WAIT_MS
  for (;;) {
    if (signal.aborted) throw new Stopped()
    try {
      return await step()
    } catch (error) {
      if (signal.aborted) throw new Stopped()
      if (!isEddyError(error) || !error.retryable) throw error
      const retryAfterMs = retryAfterMsOf(error)
      if (retryAfterMs !== undefined) {
        // Not a failure: a stream's limits let it through later. Others who were refused with it come apart.
        await clock.sleep(retryAfterMs * (1 + clock.random()), signal)
        continue
      }
      logger.warn({ code: error.code, reason: error.message, waitMs }, `${what} failed and is repeated`)
      await clock.sleep(waitMs, signal)
      waitMs = Math.min(MAX_WAIT_MS, waitMs * 2)
    }
  }
}

/**
 * A last step before the end: tried a few times, and then let go with a warning. What it would have said, the next start
 * finds out.
 *
 * @returns false when it was let go
 */
export async function lastTry(
  clock: Clock,
  logger: Logger,
  what: string,
  step: () => Promise<void>,
): Promise<boolean> {
  for (let tries = 1; ; tries += 1) {
    try {
      await step()
      return true
    } catch (error) {
      if (tries === LAST_TRIES) {
        logger.warn({ reason: String(error) }, `${what} failed at the end: the next start handles more again`)
        return false
      }
      await clock.sleep(FIRST_WAIT_MS * tries)
    }
  }
}
