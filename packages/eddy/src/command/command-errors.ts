import { EddyError, isEddyError } from '@eddy/core'

/** The command line asks for something that does not fit together: exit 2. */
export class UsageError extends EddyError {
  override readonly code = 'EDDY_USAGE'
  override readonly retryable = false
}

/** An option is refused by what it concerns (an address without a token, a full folder, a wrong policy): exit 4. */
export class ConfigurationError extends EddyError {
  override readonly code = 'EDDY_CONFIGURATION'
  override readonly retryable = false
}

/**
 * The command line was fine: what it names (an address, a folder) does not fit. An option that is refused then is a
 * matter of configuration, exit 4, and not of usage.
 */
export async function asConfiguration<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (isEddyError(error) && error.code === 'EDDY_INVALID_OPTION') {
      throw new ConfigurationError(error.message, error.details, { cause: error })
    }
    throw error
  }
}

/** A person stopped the command: exit 130. */
export class InterruptedError extends EddyError {
  override readonly code = 'EDDY_INTERRUPTED'
  override readonly retryable = true

  constructor(message = 'interrupted') {
    super(message)
  }
}
