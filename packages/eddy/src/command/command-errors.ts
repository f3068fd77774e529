import { EddyError } from '@eddy/core'

/** The command line asks for something that does not fit together: exit 2. */
export class UsageError extends EddyError {
  override readonly code = 'EDDY_USAGE'
  override readonly retryable = false
}

/** A start option is refused by what it concerns (an address without a token, a wrong policy): exit 4. */
export class ConfigurationError extends EddyError {
  override readonly code = 'EDDY_CONFIGURATION'
  override readonly retryable = false
}

/** A person stopped the command: exit 130. */
export class InterruptedError extends EddyError {
  override readonly code = 'EDDY_INTERRUPTED'
  override readonly retryable = true

  constructor(message = 'interrupted') {
    super(message)
  }
}
