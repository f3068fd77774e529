import { GetShardIteratorCommand, type GetShardIteratorCommandInput } from '@aws-sdk/client-kinesis'
import type { StartPosition } from '@eddy/core'
import type { KinesisParts } from './kinesis-producer-log.ts'

/** Of a clock that may be wrong by as much as signatures allow, where a service does not tell its time. */
const MAX_SKEW_MS = 300_000

/** How Kinesis, or one of its consumers, is asked for a place in a shard. */
export function startingPositionOf(position: StartPosition): {
  readonly Type: NonNullable<GetShardIteratorCommandInput['ShardIteratorType']>
  readonly SequenceNumber?: string
  readonly Timestamp?: Date
} {
  switch (position.at) {
    case 'trim_horizon':
      return { Type: 'TRIM_HORIZON' }
    case 'latest':
      return { Type: 'LATEST' }
    case 'at_sequence_number':
      return { Type: 'AT_SEQUENCE_NUMBER', SequenceNumber: position.sequenceNumber }
    case 'after_sequence_number':
      return { Type: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: position.sequenceNumber }
    case 'at_timestamp':
      return { Type: 'AT_TIMESTAMP', Timestamp: new Date(position.timestampMs) }
  }
}

/**
 * @returns the iterator, and a time on the service's clock that is not after it was made, but little before
 * @throws what the SDK throws
 */
export async function getShardIterator(
  { calls, nameOf }: Pick<KinesisParts, 'calls' | 'nameOf'>,
  stream: string,
  shardId: string,
  position: StartPosition,
): Promise<{ readonly iterator: string | undefined; readonly madeAtMs: number }> {
  const { Type, ...detail } = startingPositionOf(position)
  const command = new GetShardIteratorCommand({
    StreamName: nameOf(stream),
    ShardId: shardId,
    ShardIteratorType: Type,
    ...(detail.Timestamp !== undefined && { Timestamp: detail.Timestamp }),
    ...(detail.SequenceNumber !== undefined && { StartingSequenceNumber: detail.SequenceNumber }),
  })
  let date: string | undefined
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args)
      const { headers } = result.response as { readonly headers?: Readonly<Record<string, string>> }
      date = headers?.date
      return result
    },
    { step: 'deserialize', name: 'eddyServiceTime' },
  )
  const { ShardIterator } = await calls.send((client, abortSignal) => client.send(command, { abortSignal }))
  const toldMs = date === undefined ? Number.NaN : Date.parse(date)
  return {
    iterator: ShardIterator,
    madeAtMs: Number.isNaN(toldMs) ? Date.now() - MAX_SKEW_MS : toldMs - SECOND_MS,
  }
}

/** A date of HTTP is in whole seconds, and the answer is younger than the iterator. */
const SECOND_MS = 1_000
