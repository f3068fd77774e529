import type { Expect, Table, TableItem, TableValue, WriteResult } from '@eddy/core'
import { plainNotes, type StreamNotes } from './stream-notes.ts'

const PARTITION = 'aws/kinesis/streams'
const PAGE = 1_000
const MAX_TRIES = 5

/**
 * The notes of all streams: in the table, and in memory for requests. One process owns the engine, so memory is never
 * behind. An item is about the stream with its id: one that was deleted and created again elsewhere starts anew.
 */
export class StreamBook {
  readonly #table: Table
  readonly #items = new Map<string, TableItem>()

  constructor(table: Table) {
    this.#table = table
  }

  async load(): Promise<void> {
    let after: string | undefined
    do {
      const page = await this.#table.query({
        partition: PARTITION,
        limit: PAGE,
        ...(after !== undefined && { after }),
      })
      for (const item of page.items) this.#items.set(item.sort, item)
      after = page.next
    } while (after !== undefined)
  }

  /** Names of the streams that have notes. */
  names(): string[] {
    return [...this.#items.keys()]
  }

  /** As stored, whatever stream it is about. */
  stored(name: string): StreamNotes | undefined {
    return this.#items.get(name)?.value as StreamNotes | undefined
  }

  /** The notes of the log's stream with this id. Notes without one were waiting for it to be made. */
  of(name: string, streamId: string): StreamNotes {
    const stored = this.stored(name)
    if (stored === undefined || (stored.streamId ?? streamId) !== streamId) return plainNotes(streamId)
    return stored.streamId === undefined ? { ...stored, streamId } : stored
  }

  /**
   * Resolves when it is durable. One call at a time a stream. A write that failed may have taken effect all the same:
   * then the next try is refused, and says what version stands there.
   */
  async write(name: string, notes: StreamNotes): Promise<void> {
    const key = { partition: PARTITION, sort: name }
    const value = notes as unknown as TableValue
    let expect: Expect = this.#items.get(name)?.version ?? 'absent'
    let failure: unknown
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      try {
        const written: WriteResult = await this.#table.put({ ...key, value }, expect)
        if (written.ok) {
          this.#items.set(name, { ...key, value, version: written.version })
          return
        }
        expect = written.current?.version ?? 'absent'
      } catch (error) {
        failure = error
      }
    }
    throw failure ?? new Error(`the notes of stream "${name}" are being changed by another process`)
  }

  async remove(name: string): Promise<void> {
    await this.#table.delete({ partition: PARTITION, sort: name }, 'any')
    this.#items.delete(name)
  }
}
