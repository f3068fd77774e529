import { AwsError } from '../aws-error.ts'

/*
 * The service's refusals in the service's words, as far as they are known. Texts marked "unverified" are ours: the
 * service answers this error, but what it says was not seen.
 */

export function invalidArgument(message: string): AwsError {
  return new AwsError('InvalidArgumentException', message)
}

export function validation(message: string): AwsError {
  return new AwsError('ValidationException', message)
}

export function limitExceeded(message: string): AwsError {
  return new AwsError('LimitExceededException', message)
}

export function streamNotFound(name: string, accountId: string): AwsError {
  return new AwsError('ResourceNotFoundException', `Stream ${name} under account ${accountId} not found.`)
}

/** @param shard - as the caller wrote it, for what is no shard id at all */
export function shardNotFound(place: ShardPlace): AwsError {
  const { shardId, name, accountId } = place
  return new AwsError(
    'ResourceNotFoundException',
    `Could not find shard ${shardId} in stream ${name} under account ${accountId}.`,
  )
}

/** What GetShardIterator and GetRecords say of a shard that is not there. */
export function shardDoesNotExist(place: ShardPlace): AwsError {
  const { shardId, name, accountId } = place
  return new AwsError(
    'ResourceNotFoundException',
    `Shard ${shardId} in stream ${name} under account ${accountId} does not exist`,
  )
}

export function streamNotActive(name: string, accountId: string, status: string): AwsError {
  return new AwsError(
    'ResourceInUseException',
    `Stream ${name} under account ${accountId} not ACTIVE, instead in state ${status}`,
  )
}

export function throughputExceeded(message: string): AwsError {
  return new AwsError('ProvisionedThroughputExceededException', message)
}

export function rateExceededForShard(place: ShardPlace): string {
  const { shardId, name, accountId } = place
  return `Rate exceeded for shard ${shardId} in stream ${name} under account ${accountId}.`
}

export const INTERNAL_FAILURE_MESSAGE = 'Internal Service Failure'

export function internalFailure(): AwsError {
  return new AwsError('InternalFailureException', INTERNAL_FAILURE_MESSAGE, { status: 500 })
}

/** `DryRun`: the request was checked and would have succeeded. The text is unverified. */
export function dryRun(): AwsError {
  return new AwsError(
    'DryRunOperationException',
    'The request would have succeeded, but the DryRun parameter is set.',
  )
}

export interface ShardPlace {
  readonly shardId: string
  readonly name: string
  readonly accountId: string
}

export function resourceInUse(message: string): AwsError {
  return new AwsError('ResourceInUseException', message)
}
