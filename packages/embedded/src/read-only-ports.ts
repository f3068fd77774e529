import {
  type BlobInfo,
  type Blobs,
  type ItemKey,
  type Log,
  type QueryPage,
  type QueryRequest,
  type Queue,
  type QueueStats,
  ReadOnlyError,
  type ReadRequest,
  type ReadResult,
  type ShardInfo,
  type StreamInfo,
  type Table,
  type TableItem,
  type TableValue,
} from '@eddy/core'

/** The ports of an engine that was opened for reading alone: reads pass, writes are refused. */
export class ReadOnlyLog implements Log {
  readonly keepsKeyOrder = true
  readonly dropsCopies = true
  readonly #log: Log

  constructor(log: Log) {
    this.#log = log
  }

  listStreams(): Promise<readonly StreamInfo[]> {
    return this.#log.listStreams()
  }

  describeStream(name: string): Promise<StreamInfo> {
    return this.#log.describeStream(name)
  }

  listShards(stream: string): Promise<readonly ShardInfo[]> {
    return this.#log.listShards(stream)
  }

  read(request: ReadRequest): Promise<ReadResult> {
    return this.#log.read(request)
  }

  createStream(): Promise<never> {
    return refuse('creating a stream')
  }

  deleteStream(): Promise<never> {
    return refuse('deleting a stream')
  }

  setRetention(): Promise<never> {
    return refuse('changing retention')
  }

  append(): Promise<never> {
    return refuse('appending records')
  }

  split(): Promise<never> {
    return refuse('splitting a shard')
  }

  merge(): Promise<never> {
    return refuse('merging shards')
  }
}

export class ReadOnlyQueue implements Queue {
  readonly #queue: Queue

  constructor(queue: Queue) {
    this.#queue = queue
  }

  depth(queue: string): Promise<number> {
    return this.#queue.depth(queue)
  }

  stats(queue: string): Promise<QueueStats> {
    return this.#queue.stats(queue)
  }

  send(): Promise<never> {
    return refuse('sending a message')
  }

  receive(): Promise<never> {
    return refuse('receiving messages')
  }

  ack(): Promise<never> {
    return refuse('acknowledging messages')
  }

  delay(): Promise<never> {
    return refuse('delaying a message')
  }

  purge(): Promise<never> {
    return refuse('purging a queue')
  }
}

export class ReadOnlyTable implements Table {
  readonly #table: Table

  constructor(table: Table) {
    this.#table = table
  }

  get<V extends TableValue = TableValue>(key: ItemKey): Promise<TableItem<V> | undefined> {
    return this.#table.get<V>(key)
  }

  getMany<V extends TableValue = TableValue>(
    keys: readonly ItemKey[],
  ): Promise<readonly (TableItem<V> | undefined)[]> {
    return this.#table.getMany<V>(keys)
  }

  query<V extends TableValue = TableValue>(request: QueryRequest): Promise<QueryPage<V>> {
    return this.#table.query<V>(request)
  }

  count(partition: string, byIndex?: boolean): Promise<number> {
    return this.#table.count(partition, byIndex)
  }

  put(): Promise<never> {
    return refuse('writing an item')
  }

  delete(): Promise<never> {
    return refuse('deleting an item')
  }
}

export class ReadOnlyBlobs implements Blobs {
  readonly #blobs: Blobs

  constructor(blobs: Blobs) {
    this.#blobs = blobs
  }

  get(key: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    return this.#blobs.get(key)
  }

  list(prefix: string): AsyncIterable<BlobInfo> {
    return this.#blobs.list(prefix)
  }

  put(): Promise<never> {
    return refuse('writing a blob')
  }

  delete(): Promise<never> {
    return refuse('deleting a blob')
  }
}

function refuse(action: string): Promise<never> {
  return Promise.reject(new ReadOnlyError(action))
}
