import { randomBytes } from 'node:crypto'

export const RECORDS_A_PUT = 500
const RECORD_BYTES = 1_000
const BODIES = 32

/** PutRecords requests with records of 1 KB, of random bytes and with keys that spread them evenly. */
export function putBodies(stream: string): readonly Buffer[] {
  return Array.from({ length: BODIES }, (_, body) => {
    const Records = Array.from({ length: RECORDS_A_PUT }, (_, record) => ({
      Data: randomBytes(RECORD_BYTES).toString('base64'),
      PartitionKey: `key-${body}-${record}`,
    }))
    return Buffer.from(JSON.stringify({ StreamName: stream, Records }))
  })
}
