import { EddyError, StorageError } from '@eddy/core'
import { type NextStep, nextStepOf } from '../sdk/next-step.ts'
import { sdkErrorOf } from '../sdk/sdk-error.ts'

/** S3, or the credentials' source, refused a request in a way that sending it again does not change. */
export class S3RefusedError extends EddyError {
  override readonly code = 'EDDY_S3_REFUSED'
  override readonly retryable = false

  /** @param what - `PutObject on bucket "orders-payloads"` */
  constructor(what: string, problem: string, options?: ErrorOptions) {
    super(
      `S3 refused ${what}: ${problem}${nextStepOf(problem, NEXT_STEPS)}`,
      { request: what, problem },
      options,
    )
  }
}

const NEXT_STEPS: readonly NextStep[] = [
  [/^NoSuchBucket/, 'Create the bucket, or correct its name (EDDY_BUCKET).'],
  [/^PermanentRedirect/, "Set AWS_REGION to the bucket's region."],
]

/** The bucket is in another region: a redirect that no repetition follows. */
const ELSEWHERE = 'PermanentRedirect'

/** The SDK found that what came is not what S3 has: it may come whole another time. */
const DAMAGED = /^Error: Checksum mismatch/

/**
 * What an error of a request means to the port: a `StorageError` for what may succeed later, else why S3 refuses it. What is
 * neither is returned as it is: a bug, or an error of whoever hands the content in.
 */
export function s3Error(thrown: unknown, what: string): unknown {
  const { kind, name, problem } = sdkErrorOf(thrown)
  if (kind === 'refused' || name === ELSEWHERE) return new S3RefusedError(what, problem, { cause: thrown })
  if (kind === 'bug' && !DAMAGED.test(problem)) return thrown
  return new StorageError(`${what}: ${problem}`, { request: what }, { cause: thrown })
}

/** Does the service say that there is no such object, or no such upload? Not: no such bucket. */
export function isMissing(thrown: unknown): boolean {
  return /^(NoSuchKey|NoSuchUpload|NotFound)$/.test(sdkErrorOf(thrown).name)
}
