import type { Expect, Table, TableItem, TableValue } from '@eddy/core'
import { plainNotes, type StreamNotes } from './stream-notes.ts'

const PARTITION = 'aws/kinesis/streams'
const PAGE = 1_000

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

  /** The notes of the log's stream with this id. */
  of(name: string, streamId: string): StreamNotes {
    const stored = this.stored(name)
    return stored?.streamId === streamId ? stored : plainNotes(streamId)
  }

  /** Resolves when it is durable. One call at a time a stream. */
  async write(name: string, notes: StreamNotes): Promise<void> {
    const before = this.#items.get(name)
    const key = { partition: PARTITION, sort: name }
    const value = notes as unknown as TableValue
    const expect: Expect = before?.version ?? 'absent'
    const written = await this.#table.put({ ...key, value }, expect)
    if (!written.ok) throw new Error(`the notes of stream "${name}" were changed by another process`)
    this.#items.set(name, { ...key, value, version: written.version })
  }

  async remove(name: string): Promise<void> {
    await this.#table.delete({ partition: PARTITION, sort: name }, 'any')
    this.#items.delete(name)
  }
}
