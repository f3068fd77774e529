import { MAX_BATCH_BYTES } from '../../client/record-sender.ts'
import type { Line } from './line-reader.ts'

/** Lines whose sequences follow by one. */
export interface Batch {
  readonly lines: Line[]
  bytes: number
  firstSequence: number
}

export interface BatchLaneOptions {
  readonly maxRecords: number
  readonly send: (batch: Batch) => Promise<void>
  /** Sending failed for good: there is no use in reading on. */
  readonly onFailure: () => void
  readonly signal: AbortSignal
}

/**
 * One batch in flight, one being filled. A full batch waits for the one before it; a batch that is not full leaves as
 * soon as nothing is in flight and the input has no more for now, so that a slow pipe is not held back.
 */
export class BatchLane {
  readonly #options: BatchLaneOptions
  #batch: Batch = emptyBatch()
  #inFlight: Promise<void> | undefined
  #isStarved = false

  constructor(options: BatchLaneOptions) {
    this.#options = options
  }

  /** @throws what sending an earlier batch threw */
  async add(line: Line, sequence: number): Promise<void> {
    this.#isStarved = false
    const { lines, bytes } = this.#batch
    const isFull = lines.length >= this.#options.maxRecords || bytes + line.bytes.length > MAX_BATCH_BYTES
    if (isFull && lines.length > 0) await this.flush()
    if (this.#batch.lines.length === 0) this.#batch.firstSequence = sequence
    this.#batch.lines.push(line)
    this.#batch.bytes += line.bytes.length
  }

  /** The input has nothing for now. */
  starve(): void {
    this.#isStarved = true
    if (this.#inFlight === undefined) this.#start()
  }

  /** Sends what is there; resolves when it is on its way. */
  async flush(): Promise<void> {
    await this.settle()
    this.#start()
  }

  /** Resolves when nothing is in flight. @throws what sending threw */
  async settle(): Promise<void> {
    while (this.#inFlight !== undefined) await this.#inFlight
  }

  #start(): void {
    const batch = this.#batch
    if (batch.lines.length === 0 || this.#options.signal.aborted) return
    this.#batch = emptyBatch()
    this.#inFlight = this.#options.send(batch).then(() => {
      this.#inFlight = undefined
      if (this.#isStarved) this.#start()
    })
    // The failure itself is thrown where the lane is awaited next.
    this.#inFlight.catch(() => this.#options.onFailure())
  }
}

function emptyBatch(): Batch {
  return { lines: [], bytes: 0, firstSequence: 0 }
}
