import { decodeEvent, isEddyError, KINESIS_LIMITS, type LogRecord, type StartPosition } from '@eddy/core'
import { openEmbedded } from '@eddy/embedded'
import type { RecordData } from './writer-records.ts'

const PAGE = 10_000
const PAGE_BYTES = 64 * 1024 * 1024

/** What lies in a stream after a run, read back record by record. */
export interface StoredRecords {
  /** Different records, by writer and number. */
  readonly distinct: number
  /** Stored once more, in the log. */
  readonly copies: number
  /** Of the copies, those that a reader would hand to a handler: without a mark that it has seen in the shard. */
  readonly handledCopies: number
  /** Records that came after a later one of their key. */
  readonly overtaken: number
  /** What the limits alone make the run last, without the second that a shard's bucket holds at the start. */
  readonly boundMs: number
}

/**
 * Opens the data directory of a server that has ended, and reads the whole stream.
 * @throws Error when it holds what nobody wrote
 */
export async function readStored(dataDir: string, stream: string): Promise<StoredRecords> {
  const { log, close } = await opened(dataDir)
  try {
    await log.setLimits?.(stream, { limits: 'none' })
    const all = new Tally()
    for (const { shardId } of await log.listShards(stream)) {
      const shard = all.beginShard()
      let from: StartPosition | undefined = { at: 'trim_horizon' }
      while (from !== undefined) {
        const request = { stream, shardId, from, maxRecords: PAGE, maxBytes: PAGE_BYTES, waitMs: 0 }
        const page = await log.read(request)
        for (const record of page.records) shard.add(record)
        from = page.records.length === 0 ? undefined : page.next
      }
    }
    return all.total()
  } finally {
    await close()
  }
}

async function opened(dataDir: string) {
  try {
    const engine = await openEmbedded({ dataDir })
    return { log: engine.log, close: () => engine.close() }
  } catch (error) {
    throw new Error(`cannot read back: ${isEddyError(error) ? error.message : String(error)}`, {
      cause: error,
    })
  }
}

class Tally {
  readonly #seen = new Set<string>()
  readonly #lastOfKey = new Map<string, number>()
  #copies = 0
  #handledCopies = 0
  #overtaken = 0
  #boundMs = 0

  beginShard(): { add(record: LogRecord): void } {
    const marks = new Set<string>()
    let records = 0
    let bytes = 0
    return {
      add: (record) => {
        const event = decodeEvent(record.data)
        const { writer, n } = event.data as RecordData
        if (typeof n !== 'number') throw new Error(`a record that nobody wrote: ${event.id}`)
        const mark = `${event.eddyproducer}/${event.eddysequence}`
        const name = `${writer}/${n}`
        if (this.#seen.has(name)) {
          this.#copies += 1
          if (event.eddyproducer === undefined || !marks.has(mark)) this.#handledCopies += 1
          return
        }
        this.#seen.add(name)
        marks.add(mark)
        const key = `${writer} ${record.partitionKey}`
        const last = this.#lastOfKey.get(key) ?? -1
        if (n < last) this.#overtaken += 1
        else this.#lastOfKey.set(key, n)
        records += 1
        bytes += record.data.length + Buffer.byteLength(record.partitionKey)
        const { writeRecordsPerSecond, writeBytesPerSecond } = KINESIS_LIMITS
        const seconds = Math.max(records / writeRecordsPerSecond, bytes / writeBytesPerSecond)
        this.#boundMs = Math.max(this.#boundMs, seconds * 1_000)
      },
    }
  }

  total(): StoredRecords {
    return {
      distinct: this.#seen.size,
      copies: this.#copies,
      handledCopies: this.#handledCopies,
      overtaken: this.#overtaken,
      boundMs: this.#boundMs,
    }
  }
}
