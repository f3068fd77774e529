const RECORD = Buffer.from('"SequenceNumber"')
/** Eddy's is behind the records, Kinesalite's before them. */
const ITERATOR = /"NextShardIterator":"([^"]+)"/
const EDGE_BYTES = 1_024

/** A page of GetRecords, looked at as it comes, so that nobody puts a megabyte together: how many records, and what next. */
export class PageScan {
  #records = 0
  #head = Buffer.alloc(0)
  #tail = Buffer.alloc(0)

  add(chunk: Buffer): void {
    // What lies across the border of two chunks is looked for there.
    const border = RECORD.length - 1
    const across = Buffer.concat([this.#tail.subarray(-border), chunk.subarray(0, border)])
    this.#records += countIn(across) + countIn(chunk)
    if (this.#head.length < EDGE_BYTES)
      this.#head = Buffer.concat([this.#head, chunk.subarray(0, EDGE_BYTES - this.#head.length)])
    this.#tail = Buffer.from(
      chunk.length >= EDGE_BYTES
        ? chunk.subarray(-EDGE_BYTES)
        : Buffer.concat([this.#tail, chunk]).subarray(-EDGE_BYTES),
    )
  }

  get records(): number {
    return this.#records
  }

  /** Its first kilobyte. */
  get head(): string {
    return this.#head.toString('latin1')
  }

  /** @throws Error when there is none */
  get nextIterator(): string {
    const edges = [this.#tail, this.#head].map((edge) => edge.toString('latin1'))
    const found = edges.map((edge) => ITERATOR.exec(edge)?.[1]).find((iterator) => iterator !== undefined)
    if (found === undefined) throw new Error('a page has no next iterator')
    return found
  }
}

function countIn(bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(RECORD); at >= 0; at = bytes.indexOf(RECORD, at + RECORD.length)) count += 1
  return count
}
