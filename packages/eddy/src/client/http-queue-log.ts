import type { AppendEntry, AppendResult, ProducerLog, ShardInfo, StreamInfo } from '@eddy/core'
import { postLines } from './post-lines.ts'
import type { Query, Transport } from './transport.ts'

/** The server sends on to its queue by itself, for up to a minute. */
const REQUEST_TIMEOUT_MS = 90_000

/** A queue is placed by nobody. */
const ONE_SHARD: ShardInfo = {
  shardId: 'queue',
  startingHashKey: '0',
  endingHashKey: String((1n << 128n) - 1n),
  parentShardIds: [],
  depth: 0,
  startingSequenceNumber: '0',
}

/**
 * A server's queues as a log, so that messages are sent as events are. Entries are messages in JSON, or with `query` any
 * JSON. A message without a deduplication id is known again by its producer's mark within the queue's window.
 */
export class HttpQueueLog implements ProducerLog {
  readonly keepsKeyOrder = true
  readonly dropsCopies = true
  readonly #transport: Transport
  readonly #query: Query

  constructor(transport: Transport, query: Query = {}) {
    this.#transport = transport
    this.#query = query
  }

  append(queue: string, entries: readonly AppendEntry[]): Promise<readonly AppendResult[]> {
    return postLines(this.#transport, entries, {
      path: `/v1/queues/${encodeURIComponent(queue)}/messages`,
      query: this.#query,
      lines: entries.map(({ data }) => [data]),
      timeoutMs: REQUEST_TIMEOUT_MS,
    })
  }

  listShards(): Promise<readonly ShardInfo[]> {
    return Promise.resolve([ONE_SHARD])
  }

  describeStream(): Promise<Pick<StreamInfo, 'limits'>> {
    return Promise.resolve({})
  }
}
