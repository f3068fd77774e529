import type { KinesisEventRecord } from './kinesis-event.ts'
import type { CheckedOptions } from './kinesis-mapping-options.ts'

/** A batch is sent at 6 MB at the latest, as JSON (Lambda quotas, "Invocation payload"; guide, "Batching behavior"). */
export const MAX_PAYLOAD_BYTES: number = 6 * 1024 * 1024
/** `{"Records":[]}`, and a comma a record. */
const ENVELOPE_BYTES = 14

export interface ShardLaneOptions {
  readonly options: CheckedOptions
  readonly deliver: (records: readonly KinesisEventRecord[]) => Promise<void>
  /** Called when a batch is done. */
  readonly onIdle: () => void
}

/** Records of some partition keys of a shard: one batch at a time, in order. */
export class ShardLane {
  readonly #parts: ShardLaneOptions
  readonly #pending: { readonly record: KinesisEventRecord; readonly bytes: number }[] = []
  #bytes = 0
  /** When the first pending record was read, on the monotonic clock. */
  #firstReadMs = 0
  #running: Promise<void> | undefined

  constructor(parts: ShardLaneOptions) {
    this.#parts = parts
  }

  get pending(): number {
    return this.#pending.length
  }

  get isIdle(): boolean {
    return this.#pending.length === 0 && this.#running === undefined
  }

  add(record: KinesisEventRecord): void {
    if (this.#pending.length === 0) this.#firstReadMs = this.#parts.options.clock.monotonicMs()
    const bytes = Buffer.byteLength(JSON.stringify(record)) + 1
    this.#pending.push({ record, bytes })
    this.#bytes += bytes
  }

  /** Sends a batch if one is due. @param isEnd - nothing will follow: what is there goes now */
  pump(isEnd: boolean): void {
    if (this.#running !== undefined || !this.#isDue(isEnd)) return
    this.#running = this.#parts.deliver(this.#take()).finally(() => {
      this.#running = undefined
      this.#parts.onIdle()
    })
  }

  /** Milliseconds until the window of what is pending is over; undefined when nothing waits for it. */
  get windowLeftMs(): number | undefined {
    if (this.#running !== undefined || this.#pending.length === 0) return undefined
    const { clock, maximumBatchingWindowMs } = this.#parts.options
    return Math.max(0, this.#firstReadMs + maximumBatchingWindowMs - clock.monotonicMs())
  }

  #isDue(isEnd: boolean): boolean {
    if (this.#pending.length === 0) return false
    const isFull =
      this.#pending.length >= this.#parts.options.batchSize ||
      this.#bytes + ENVELOPE_BYTES >= MAX_PAYLOAD_BYTES
    return isFull || isEnd || this.windowLeftMs === 0
  }

  /** At least one record: what the service does with one that is over the limit alone is not documented. */
  #take(): readonly KinesisEventRecord[] {
    const { batchSize, clock } = this.#parts.options
    const batch: KinesisEventRecord[] = []
    let bytes = ENVELOPE_BYTES
    while (batch.length < batchSize) {
      const next = this.#pending[0]
      if (next === undefined || (batch.length > 0 && bytes + next.bytes > MAX_PAYLOAD_BYTES)) break
      this.#pending.shift()
      batch.push(next.record)
      bytes += next.bytes
      this.#bytes -= next.bytes
    }
    this.#firstReadMs = clock.monotonicMs()
    return batch
  }
}
