import type { EddyError } from '@eddy/core'
import { sdkErrorOf } from '../sdk/sdk-error.ts'
import { KinesisRefusedError, KinesisUnavailableError } from './kinesis-errors.ts'

/** What an error of a request says of what the request carried. */
export type Refusal =
  /** Nothing was stored, for now: the same may be sent again. */
  | { readonly kind: 'throttled' | 'internal'; readonly message: string }
  /** `error.retryable`: any of it may have been stored. Else none was, and none will be. */
  | { readonly kind: 'error'; readonly error: EddyError }

/** The stream is being made or deleted; one that is being made becomes active. */
const NOT_YET = new Set(['ResourceInUseException'])

/**
 * @param what - `PutRecords on stream "orders"`
 * @returns undefined for what neither Kinesis nor a connection said: a bug
 */
export function classifyError(thrown: unknown, what: string): Refusal | undefined {
  const { name, problem, kind } = sdkErrorOf(thrown)
  if (NOT_YET.has(name)) return { kind: 'internal', message: problem }
  switch (kind) {
    case 'throttled':
      return { kind, message: problem }
    case 'unknown':
      return { kind: 'error', error: new KinesisUnavailableError(what, problem, { cause: thrown }) }
    case 'refused':
      return { kind: 'error', error: new KinesisRefusedError(what, problem, { cause: thrown }) }
    case 'bug':
      return undefined
  }
}
