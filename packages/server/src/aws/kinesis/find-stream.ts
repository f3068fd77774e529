import { type ShardInfo, type StreamInfo, StreamNotFoundError } from '@eddy/core'
import type { KinesisContext } from './kinesis-context.ts'
import { invalidArgument, streamNotActive, streamNotFound } from './kinesis-errors.ts'
import { parseStreamArn } from './stream-arn.ts'
import { type StreamNotes, type StreamStatus, statusOf } from './stream-notes.ts'

/** How requests name a stream: by either, or both. `StreamId` is "reserved for future use", and not looked at. */
export interface StreamRef {
  readonly StreamName?: string
  readonly StreamARN?: string
}

export interface FoundStream {
  readonly name: string
  readonly info: StreamInfo
  readonly notes: StreamNotes
  readonly status: StreamStatus
}

/** @throws AwsError ResourceNotFoundException, InvalidArgumentException */
export async function findStream(context: KinesisContext, ref: StreamRef): Promise<FoundStream> {
  return findNamed(context, nameOf(context, ref))
}

/** The name that a request means. @throws AwsError */
export function nameOf(context: KinesisContext, { StreamName, StreamARN }: StreamRef): string {
  if (StreamARN === undefined) {
    // Unverified text.
    if (StreamName === undefined) throw invalidArgument('Either StreamName or StreamARN should be provided.')
    return StreamName
  }
  const arn = parseStreamArn(StreamARN)
  // Unverified texts.
  if (arn === undefined) throw invalidArgument(`StreamARN ${StreamARN} is not the ARN of a stream.`)
  if (StreamName !== undefined && StreamName !== arn.name)
    throw invalidArgument(`StreamName ${StreamName} and StreamARN ${StreamARN} do not match.`)
  // Streams of other accounts and Regions are not here.
  if (arn.accountId !== context.accountId || arn.region !== context.region)
    throw streamNotFound(arn.name, arn.accountId)
  return arn.name
}

export async function findNamed(context: KinesisContext, name: string): Promise<FoundStream> {
  const { log, clock } = context.engine
  let info: StreamInfo
  try {
    info = await log.describeStream(name)
  } catch (error) {
    if (error instanceof StreamNotFoundError) throw streamNotFound(name, context.accountId)
    throw error
  }
  const notes = context.book.of(name, info.streamId)
  return { name, info, notes, status: statusOf(notes, clock.now()) }
}

/** For changes. @throws AwsError ResourceInUseException unless it is ACTIVE */
export function requireActive(context: KinesisContext, stream: FoundStream): void {
  if (stream.status !== 'ACTIVE') throw streamNotActive(stream.name, context.accountId, stream.status)
}

/** A stream that is being created has none yet. */
export async function shardsOf(context: KinesisContext, stream: FoundStream): Promise<readonly ShardInfo[]> {
  return stream.status === 'CREATING' ? [] : context.engine.log.listShards(stream.name)
}

export function isOpen(shard: ShardInfo): boolean {
  return shard.endingSequenceNumber === undefined
}
