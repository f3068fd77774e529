import { Pool } from 'undici'

const TARGET = 'Kinesis_20131202'
const RECORD = Buffer.from('"SequenceNumber"')
const NO_FAILURES = Buffer.from('"FailedRecordCount":0')
/** The next iterator is behind the records; on Kinesalite, before them. */
const ITERATOR = /"NextShardIterator":"([^"]+)"/
const EDGE_BYTES = 1_024

/** HTTP/1.1 with bodies that are ready, and answers that are only looked at: what the server costs, and little else. */
export class KinesisClient {
  readonly #pool: Pool

  constructor(port: number, connections: number) {
    this.#pool = new Pool(`http://127.0.0.1:${port}`, { connections, pipelining: 1 })
  }

  /** @throws Error for an answer that is no success */
  async call(operation: string, body: string | Buffer): Promise<Buffer> {
    const { statusCode, body: answer } = await this.#pool.request({
      path: '/',
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': `${TARGET}.${operation}`,
        // Nobody checks it; Kinesalite refuses requests without one.
        authorization:
          'AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/kinesis/aws4_request, SignedHeaders=a, Signature=a',
        'x-amz-date': '20260101T000000Z',
      },
      body,
    })
    const bytes = Buffer.from(await answer.arrayBuffer())
    if (statusCode !== 200)
      throw new Error(`${operation}: ${statusCode} ${bytes.toString('utf8').slice(0, 300)}`)
    return bytes
  }

  /** @throws Error when a record was refused */
  async putRecords(body: Buffer): Promise<void> {
    const answer = await this.call('PutRecords', body)
    if (!answer.includes(NO_FAILURES)) throw new Error('a record was refused')
  }

  /** The records of a shard from its beginning, `limit` at a time. @returns how many there are */
  async readShard(stream: string, shard: number, limit: number): Promise<number> {
    const ShardId = `shardId-${String(shard).padStart(12, '0')}`
    const asked = JSON.stringify({ StreamName: stream, ShardId, ShardIteratorType: 'TRIM_HORIZON' })
    let { ShardIterator } = JSON.parse((await this.call('GetShardIterator', asked)).toString()) as {
      ShardIterator: string
    }
    for (let total = 0; ; ) {
      const page = await this.call('GetRecords', JSON.stringify({ ShardIterator, Limit: limit }))
      const records = countOf(page, RECORD)
      if (records === 0) return total
      total += records
      ShardIterator = nextIterator(page)
    }
  }

  async close(): Promise<void> {
    await this.#pool.close()
  }
}

function countOf(page: Buffer, what: Buffer): number {
  let count = 0
  for (let at = page.indexOf(what); at >= 0; at = page.indexOf(what, at + what.length)) count += 1
  return count
}

function nextIterator(page: Buffer): string {
  const edges = [page.subarray(-EDGE_BYTES), page.subarray(0, EDGE_BYTES)].map((edge) =>
    edge.toString('latin1'),
  )
  const found = edges.map((edge) => ITERATOR.exec(edge)?.[1]).find((iterator) => iterator !== undefined)
  if (found === undefined) throw new Error('a page has no next iterator')
  return found
}
