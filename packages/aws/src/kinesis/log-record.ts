import type { _Record } from '@aws-sdk/client-kinesis'
import type { LogRecord, ReadRequest } from '@eddy/core'

/**
 * Records as the port has them. Times of arrival are approximate and may go back in Kinesis; the port's do not.
 * @param notBeforeMs - when the record before them arrived
 */
export function logRecordsOf(records: readonly _Record[], notBeforeMs: number): LogRecord[] {
  let arrivedAtMs = notBeforeMs
  return records.map(({ SequenceNumber = '', PartitionKey, Data, ApproximateArrivalTimestamp }) => {
    arrivedAtMs = Math.max(arrivedAtMs, ApproximateArrivalTimestamp?.getTime() ?? 0)
    return {
      sequenceNumber: SequenceNumber,
      // A stream that ignores keys takes records without one. Each gets its own, so that none waits for another.
      partitionKey: PartitionKey ?? `no-key-${SequenceNumber}`,
      data: Data ?? new Uint8Array(0),
      arrivedAtMs,
    }
  })
}

/** How many of them a read may return; one at least, where there is one. */
export function countWithin(
  records: readonly LogRecord[],
  { maxRecords, maxBytes }: Pick<ReadRequest, 'maxRecords' | 'maxBytes'>,
): number {
  let bytes = 0
  for (const [index, record] of records.entries()) {
    bytes += bytesOf(record)
    if (index === maxRecords || (index > 0 && bytes > maxBytes)) return index
  }
  return records.length
}

/** Data and key, as limits count them. */
export function bytesOf({ data, partitionKey }: LogRecord): number {
  return data.length + Buffer.byteLength(partitionKey)
}

/**
 * Age of the last record of an answer behind which more is stored, or of where it ended; never 0. Kinesis says how far its
 * own answer was behind, which may have held more records than are returned.
 */
export function behindMs(last: LogRecord | undefined, toldMs: number, nowMs: number): number {
  return Math.max(1, toldMs, last === undefined ? 0 : nowMs - last.arrivedAtMs)
}
