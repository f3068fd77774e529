import type { LogRecord, TableItem } from '@eddy/core'
import { cloneItem } from './store/clone-value.ts'
import { LogStore } from './store/log-store.ts'
import { QueueStore, type StoredMessage } from './store/queue-store.ts'
import { TableStore } from './store/table-store.ts'

/** A record and the shard it is in. */
export interface PlacedRecord extends LogRecord {
  readonly shardId: string
}

/** What is stored: it survives every crash. Also how tests look at all of it, past ports and faults. */
export class SimStore {
  readonly log: LogStore = new LogStore()
  readonly table: TableStore = new TableStore()
  readonly blobs: Map<string, Uint8Array> = new Map()
  readonly #queues = new Map<string, QueueStore>()

  queue(name: string): QueueStore {
    const queue = this.#queues.get(name) ?? new QueueStore()
    this.#queues.set(name, queue)
    return queue
  }

  /** All records kept of a stream, shard by shard. Records are not copied. */
  allRecords(stream: string): PlacedRecord[] {
    return this.log
      .stream(stream)
      .shards.flatMap((shard) =>
        shard.records.map((record) => ({ ...record, shardId: shard.options.shardId })),
      )
  }

  /** All items of the table, or of one of its partitions, copied; expired ones included until they are removed. */
  allItems(partition?: string): TableItem[] {
    const items: TableItem[] = []
    for (const item of this.table.items()) {
      if (partition === undefined || item.partition === partition) items.push(cloneItem(item))
    }
    return items
  }

  /** All messages of a queue, by due time: waiting and in flight. */
  allMessages(queue: string): readonly StoredMessage[] {
    return [...this.queue(queue).messages()]
  }

  queueNames(): string[] {
    return [...this.#queues.keys()].sort()
  }
}
