import type { Log } from '@eddy/core'
import type { RawAnswer, RawOperation } from '../../aws-service.ts'
import { type GetRecordsInput, type PageEnd, readPage } from '../get-records.ts'
import type { KinesisContext } from '../kinesis-context.ts'
import { parseStreamArn } from '../stream-arn.ts'
import { AnswerBuffers } from './answer-buffers.ts'
import { PageWriter } from './page-writer.ts'

/** A request of the members that are read here is far shorter. */
const MAX_BODY_BYTES = 2_048
const MAX_ITERATOR_CHARACTERS = 512
const MAX_LIMIT = 10_000

type ReadEach = NonNullable<Log['readEach']>

/**
 * GetRecords from bytes to bytes, of a log that hands over bytes; what it does and answers is what `getRecords` does and
 * answers.
 */
export function rawGetRecords(context: KinesisContext): RawOperation {
  const buffers = new AnswerBuffers()
  return (body) => {
    const { log } = context.engine
    const readEach = log.readEach?.bind(log)
    const input = plainInput(body)
    return readEach === undefined || input === undefined ? undefined : get(context, input, readEach, buffers)
  }
}

async function get(
  context: KinesisContext,
  input: GetRecordsInput,
  readEach: ReadEach,
  buffers: AnswerBuffers,
): Promise<RawAnswer> {
  const { read, end } = await readPage(context, input, async (request, notBeforeMs) => {
    const page = new PageWriter(buffers)
    try {
      const result = await readEach(request, (record) => {
        if (record.arrivedAtMs >= notBeforeMs) page.add(record)
      })
      return { ...result, page }
    } catch (error) {
      page.discard()
      throw error
    }
  })
  return read.page.finish(tailOf(end))
}

function plainInput(body: Uint8Array): GetRecordsInput | undefined {
  if (body.length > MAX_BODY_BYTES) return undefined
  let parsed: unknown
  try {
    parsed = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8'))
  } catch {
    return undefined
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined
  const { ShardIterator, Limit, StreamARN, ...others } = parsed as Record<string, unknown>
  if (Object.keys(others).length > 0) return undefined
  if (typeof ShardIterator !== 'string' || ShardIterator.length > MAX_ITERATOR_CHARACTERS) return undefined
  if (ShardIterator.length === 0) return undefined
  if (StreamARN !== undefined && (typeof StreamARN !== 'string' || parseStreamArn(StreamARN) === undefined))
    return undefined
  const arn = typeof StreamARN === 'string' ? { StreamARN } : {}
  if (Limit === undefined) return { ShardIterator, ...arn }
  if (!Number.isInteger(Limit) || Number(Limit) < 1 || Number(Limit) > MAX_LIMIT) return undefined
  return { ShardIterator, Limit: Number(Limit), ...arn }
}

function tailOf({ nextIterator, childShards, millisBehindLatest }: PageEnd): string {
  const end =
    nextIterator === undefined
      ? `"ChildShards":${JSON.stringify(childShards)}`
      : `"NextShardIterator":"${nextIterator}"`
  return `],${end},"MillisBehindLatest":${millisBehindLatest}}`
}
