import type { LogRecord, Operations, UserRecords } from '@eddy/core'
import { formatStartPosition } from './start-position.ts'

/** What a read answers: each record's event, or its bytes when they are no event. */
export function readAnswer(operations: Operations, result: UserRecords): Readonly<Record<string, unknown>> {
  return {
    records: result.records.map((record) => ({
      sequenceNumber: record.sequenceNumber,
      ...(record.subSequenceNumber !== undefined && { subSequenceNumber: record.subSequenceNumber }),
      partitionKey: record.partitionKey,
      ...(record.explicitHashKey === undefined ? {} : { explicitHashKey: record.explicitHashKey }),
      arrivedAtMs: record.arrivedAtMs,
      ...(record.isStray === true && { isStray: true }),
      ...content(operations, record),
    })),
    ...(result.next === undefined ? {} : { next: formatStartPosition(result.next) }),
    millisBehindLatest: result.millisBehindLatest,
    expiredRecords: result.expiredRecords,
  }
}

function content(operations: Operations, record: LogRecord): { event: unknown } | { dataBase64: string } {
  const event = decoded(operations, record)
  return event === undefined ? { dataBase64: Buffer.from(record.data).toString('base64') } : { event }
}

function decoded(operations: Operations, record: LogRecord): unknown {
  try {
    return operations.decode(record)
  } catch {
    return undefined
  }
}
