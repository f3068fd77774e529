import { type Dispatcher, Pool } from 'undici'
import { PageScan } from './page-scan.ts'

const TARGET = 'Kinesis_20131202'
const NO_FAILURES = '"FailedRecordCount":0'

/** HTTP/1.1 with bodies that are ready, and answers that are only looked at: what the server costs, and little else. */
export class KinesisClient {
  readonly #pool: Pool

  constructor(port: number, connections: number) {
    this.#pool = new Pool(`http://127.0.0.1:${port}`, { connections, pipelining: 1 })
  }

  /** @throws Error for an answer that is no success */
  async call(operation: string, input: object): Promise<string> {
    const chunks: Buffer[] = []
    await this.#exchange(operation, JSON.stringify(input), (chunk) => chunks.push(Buffer.from(chunk)))
    return Buffer.concat(chunks).toString('utf8')
  }

  /** @throws Error when a record was refused */
  async putRecords(body: Buffer): Promise<void> {
    const answer = new PageScan()
    await this.#exchange('PutRecords', body, (chunk) => answer.add(chunk))
    if (!answer.head.includes(NO_FAILURES)) throw new Error('a record was refused')
  }

  /** The records of a shard from its beginning, `limit` at a time. @returns how many there are */
  async readShard(stream: string, shard: number, limit: number): Promise<number> {
    const ShardId = `shardId-${String(shard).padStart(12, '0')}`
    const asked = { StreamName: stream, ShardId, ShardIteratorType: 'TRIM_HORIZON' }
    let { ShardIterator } = JSON.parse(await this.call('GetShardIterator', asked)) as {
      ShardIterator: string
    }
    for (let total = 0; ; ) {
      const page = new PageScan()
      const body = JSON.stringify({ ShardIterator, Limit: limit })
      await this.#exchange('GetRecords', body, (chunk) => page.add(chunk))
      if (page.records === 0) return total
      total += page.records
      ShardIterator = page.nextIterator
    }
  }

  async close(): Promise<void> {
    await this.#pool.close()
  }

  #exchange(operation: string, body: string | Buffer, take: (chunk: Buffer) => void): Promise<void> {
    const request: Dispatcher.DispatchOptions = {
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
    }
    return new Promise((resolve, reject) => {
      let status = 0
      this.#pool.dispatch(request, {
        onRequestStart: () => {},
        onResponseStart: (_, statusCode) => {
          status = statusCode
        },
        onResponseData: (_, chunk) => take(chunk),
        onResponseEnd: () => {
          if (status === 200) resolve()
          else reject(new Error(`${operation} was answered with status ${status}`))
        },
        onResponseError: (_, error) => reject(error),
      })
    })
  }
}
