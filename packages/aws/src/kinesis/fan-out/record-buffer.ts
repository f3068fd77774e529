import type { LogRecord, ReadRequest } from '@eddy/core'
import { bytesOf, countWithin } from '../log-record.ts'

/** Records that were pushed and not yet read, in order. Whoever pushes stops at a limit of bytes. */
export class RecordBuffer {
  #records: LogRecord[] = []
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  get isEmpty(): boolean {
    return this.#records.length === 0
  }

  get newest(): LogRecord | undefined {
    return this.#records.at(-1)
  }

  push(records: readonly LogRecord[]): void {
    for (const record of records) {
      this.#records.push(record)
      this.#bytes += bytesOf(record)
    }
  }

  take(request: Pick<ReadRequest, 'maxRecords' | 'maxBytes'>): readonly LogRecord[] {
    const count = countWithin(this.#records, request)
    const taken = this.#records.slice(0, count)
    this.#records = this.#records.slice(count)
    for (const record of taken) this.#bytes -= bytesOf(record)
    return taken
  }
}
