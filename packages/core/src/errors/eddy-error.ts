/** Facts about an error that help to act on it: numbers, names, what was expected and what came. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean>>

/**
 * Base of every operating error. `code` is stable and listed in docs/ERRORS.md; `retryable` says whether the same call
 * may succeed later; the message ends in the next step where there is one. Broken invariants are not EddyErrors: they
 * are bugs and surface as plain errors.
 */
export abstract class EddyError extends Error {
  abstract readonly code: `EDDY_${string}`
  abstract readonly retryable: boolean
  readonly details: ErrorDetails
  readonly isEddyError = true

  constructor(message: string, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.details = details
  }
}

/** True for an EddyError of any copy of this package. */
export function isEddyError(error: unknown): error is EddyError {
  return (
    typeof error === 'object' && error !== null && (error as { isEddyError?: unknown }).isEddyError === true
  )
}
