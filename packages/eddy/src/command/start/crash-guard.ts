import type { Logger } from '@eddy/core'
import { EXIT } from '../exit-code.ts'

/**
 * An error that nobody caught leaves the process in an unknown state: it is logged and the process ends, rather than
 * going on with half of itself. What was acknowledged is on disk (I1); what was running runs again (I2).
 *
 * @returns a function that takes the guard away
 */
export function guardCrashes(logger: Logger): () => void {
  const crash = (error: unknown) => {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error))
    logger.error(
      { errorType: name, problem: message, stack },
      'an error that nobody caught: the process ends and nothing is lost. Mend what the stack names, then start again',
    )
    process.exit(EXIT.failed)
  }
  // An unhandled rejection arrives here too: that is how Node 15 and later treat it.
  process.on('uncaughtException', crash)
  return () => process.off('uncaughtException', crash)
}
