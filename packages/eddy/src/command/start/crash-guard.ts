import type { Logger } from '@eddy/core'
import { EXIT } from '../exit-code.ts'

/** For a commit that is under way; after that the process ends whatever the disk does. */
const HALT_TIMEOUT_MS = 5_000

/**
 * An error that nobody caught leaves the process in an unknown state: it is logged and the process ends, rather than
 * going on with half of itself. What was acknowledged is on disk (I1); what was running runs again (I2).
 *
 * @param halt - lets what is being written finish; the process ends after it, or after five seconds
 * @returns a function that takes the guard away
 */
export function guardCrashes(logger: Logger, halt: () => Promise<void>): () => void {
  const crash = (error: unknown) => {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error))
    logger.error(
      { errorType: name, problem: message, stack },
      'an error that nobody caught: the process ends and nothing is lost. Mend what the stack names, then start again',
    )
    const end = () => process.exit(EXIT.failed)
    setTimeout(end, HALT_TIMEOUT_MS)
    void halt().then(end, end)
  }
  // An unhandled rejection arrives here too: that is how Node 15 and later treat it.
  process.on('uncaughtException', crash)
  return () => process.off('uncaughtException', crash)
}
