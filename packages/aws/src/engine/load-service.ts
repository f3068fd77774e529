import { EddyError } from '@eddy/core'

/** An AWS SDK client that the application has to bring is not installed. */
export class MissingPackageError extends EddyError {
  override readonly code = 'EDDY_MISSING_PACKAGE'
  override readonly retryable = false

  constructor(name: string, what: string, options?: ErrorOptions) {
    super(
      `${what} needs the package ${name}, which is not installed. Install it: npm install ${name}`,
      { name, what },
      options,
    )
  }
}

/**
 * Loads what stands on an SDK client, and only then the client.
 * @throws MissingPackageError
 */
export async function loadService<T>(name: string, what: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    const { code, message } = error as { code?: unknown; message?: unknown }
    const isMissing = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND'
    if (isMissing && String(message).includes(name))
      throw new MissingPackageError(name, what, { cause: error })
    throw error
  }
}
