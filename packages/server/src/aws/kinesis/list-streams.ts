import type { AwsStructure } from '../aws-service.ts'
import type { KinesisContext } from './kinesis-context.ts'
import { invalidArgument } from './kinesis-errors.ts'
import { streamArn } from './stream-arn.ts'
import { statusOf } from './stream-notes.ts'

const MAX_STREAMS_A_PAGE = 100
const KIND = 'list-streams'

export interface ListStreamsInput {
  readonly Limit?: number
  readonly ExclusiveStartStreamName?: string
  readonly NextToken?: string
}

export async function listStreams(context: KinesisContext, input: ListStreamsInput): Promise<AwsStructure> {
  const { engine, book, tokens, region, accountId } = context
  const after = startOf(context, input)
  const limit = Math.min(input.Limit ?? MAX_STREAMS_A_PAGE, MAX_STREAMS_A_PAGE)
  const rest = (await engine.log.listStreams()).filter(({ name }) => name > after)
  const page = rest.slice(0, limit)
  const hasMore = rest.length > limit
  return {
    StreamNames: page.map(({ name }) => name),
    HasMoreStreams: hasMore,
    ...(hasMore && { NextToken: tokens.seal(KIND, page.at(-1)?.name) }),
    StreamSummaries: page.map(({ name, streamId, createdAtMs }) => {
      const notes = book.of(name, streamId)
      return {
        StreamName: name,
        StreamARN: streamArn(region, accountId, name),
        StreamStatus: statusOf(notes, engine.clock.now()),
        StreamModeDetails: { StreamMode: notes.mode },
        StreamCreationTimestamp: new Date(createdAtMs),
      }
    }),
  }
}

function startOf({ tokens }: KinesisContext, input: ListStreamsInput): string {
  if (input.NextToken === undefined) return input.ExclusiveStartStreamName ?? ''
  const name = tokens.open(KIND, input.NextToken)
  if (typeof name !== 'string') throw invalidArgument('NextToken is invalid.')
  return name
}
