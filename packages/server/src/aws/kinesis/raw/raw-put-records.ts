import type { AppendResult } from '@eddy/core'
import type { RawAnswer, RawOperation } from '../../aws-service.ts'
import { append, refusal, toEntries } from '../append-entries.ts'
import { findStream } from '../find-stream.ts'
import type { KinesisContext } from '../kinesis-context.ts'
import type { PutRecordsInput } from '../put-records.ts'
import { scanPutRecords } from './scan-put-records.ts'

/** PutRecords from bytes to bytes; what it does and answers is what `putRecords` does and answers. */
export function rawPutRecords(context: KinesisContext): RawOperation {
  return (body) => {
    const input = scanPutRecords(Buffer.from(body.buffer, body.byteOffset, body.length))
    return input === undefined ? undefined : put(context, input)
  }
}

async function put(context: KinesisContext, input: PutRecordsInput): Promise<RawAnswer> {
  const stream = await findStream(context, input)
  const entries = toEntries(context, stream, input.Records, (index) => `records.${index + 1}.member.`)
  return { body: answerOf(context, await append(context, stream, entries, undefined)) }
}

function answerOf(context: KinesisContext, results: readonly AppendResult[]): Uint8Array {
  let failed = 0
  let records = ''
  for (const result of results) {
    if (records !== '') records += ','
    if (result.ok) {
      records += `{"SequenceNumber":"${result.sequenceNumber}","ShardId":"${result.shardId}"}`
      continue
    }
    failed += 1
    const { code, message } = refusal(context, result)
    records += JSON.stringify({ ErrorCode: code, ErrorMessage: message })
  }
  return Buffer.from(`{"FailedRecordCount":${failed},"Records":[${records}],"EncryptionType":"NONE"}`)
}
