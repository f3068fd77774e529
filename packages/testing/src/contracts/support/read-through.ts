import type { Log, LogRecord, ReadRequest, ReadResult } from '@eddy/core'

type Copied = Omit<LogRecord, 'explicitHashKey'>

/** `readEach` as `read`: the records copied while they are handed over. Undefined where the log has none. */
export async function readThrough(
  log: Log,
  request: ReadRequest,
): Promise<(Omit<ReadResult, 'records'> & { readonly records: readonly Copied[] }) | undefined> {
  const { waitMs, signal, ...plain } = request
  const records: Copied[] = []
  const end = await log.readEach?.(plain, (record) => {
    const { sequenceNumber, arrivedAtMs, bytes, keyStart, keyEnd, dataStart, dataEnd } = record
    records.push({
      sequenceNumber,
      arrivedAtMs,
      partitionKey: new TextDecoder().decode(bytes.subarray(keyStart, keyEnd)),
      data: new Uint8Array(bytes.subarray(dataStart, dataEnd)),
    })
  })
  if (end === undefined) return undefined
  if (end.records !== records.length)
    throw new Error(`readEach handed over ${records.length} records and says ${end.records}`)
  return { ...end, records }
}
