import { EddyError } from '@eddy/core'

/** The application under test did not come to rest. */
export class NotSettledError extends EddyError {
  override readonly code = 'EDDY_TEST_NOT_SETTLED'
  override readonly retryable = false

  constructor(problem: string) {
    super(
      `${problem}. Handlers under test may await promises and setImmediate, not timers or sockets; make one slow with delay(). Look at calls() and failures().`,
      {},
    )
  }
}
