import { isEddyError } from '@eddy/core'
import { CommanderError } from 'commander'
import { InterruptedError, UsageError } from './command-errors.ts'

/** What the command's exit status says. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  partial: 3,
  configuration: 4,
  interrupted: 130,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Codes of errors that a change of options, address or data directory would cure. */
const CONFIGURATION_CODES: readonly string[] = [
  'EDDY_APP_LOAD',
  'EDDY_CONFIGURATION',
  'EDDY_CONNECTION',
  'EDDY_CORRUPT_DATA',
  'EDDY_DATA_DIR_FOREIGN',
  'EDDY_DATA_DIR_LOCKED',
  'EDDY_DATA_DIR_VERSION',
  'EDDY_DYNAMODB_REFUSED',
  'EDDY_KINESIS_REFUSED',
  'EDDY_KINESIS_UNAVAILABLE',
  'EDDY_MISSING_PACKAGE',
  'EDDY_PORT_IN_USE',
  'EDDY_S3_REFUSED',
  'EDDY_SQS_REFUSED',
  'EDDY_UNAUTHORIZED',
]

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  if (error instanceof InterruptedError) return EXIT.interrupted
  if (error instanceof UsageError) return EXIT.usage
  // Here, or by the server: a value of the command line.
  if (isEddyError(error) && error.code === 'EDDY_INVALID_OPTION') return EXIT.usage
  if (isEddyError(error) && CONFIGURATION_CODES.includes(error.code)) return EXIT.configuration
  return EXIT.failed
}
