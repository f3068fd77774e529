import { compileFilters } from './filter-criteria.ts'
import { deliverBatch } from './kinesis-batch.ts'
import { type KinesisEventRecord, kinesisEventRecord } from './kinesis-event.ts'
import type { CheckedOptions } from './kinesis-mapping-options.ts'
import { ShardLane } from './shard-lane.ts'
import { untilAnswered } from './until-answered.ts'

/** "Lambda polls shards at a base rate of once per second" (guide, "Using Lambda with Kinesis"). */
const POLL_MS = 1_000
/** Of GetRecords. */
const MAX_RECORDS = 10_000

export interface ShardPollerOptions {
  readonly options: CheckedOptions
  readonly shardId: string
  readonly mappingUuid: string
  readonly stopping: AbortSignal
  readonly onDiscard: (records: readonly KinesisEventRecord[]) => void
  readonly onFiltered: () => void
}

/** Reads one shard and delivers its records, by lanes of partition keys. */
export class ShardPoller {
  readonly #parts: ShardPollerOptions
  readonly #lanes: readonly ShardLane[]
  readonly #passes: (record: KinesisEventRecord) => boolean
  #isEnd = false
  #wake: AbortController = new AbortController()

  constructor(parts: ShardPollerOptions) {
    this.#parts = parts
    const { options } = parts
    const scope = { ...parts }
    this.#lanes = Array.from(
      { length: options.parallelizationFactor },
      () =>
        new ShardLane({
          options,
          deliver: (records) => deliverBatch(scope, records),
          onIdle: () => this.#wake.abort(),
        }),
    )
    const matches = options.filterCriteria === undefined ? undefined : compileFilters(options.filterCriteria)
    this.#passes = (record) =>
      matches === undefined || matches('data', Buffer.from(record.kinesis.data, 'base64').toString('utf8'))
  }

  /** Resolves at the end of the shard, once all of it is delivered; false when it was stopped first. */
  async run(): Promise<boolean> {
    const { options, shardId, stopping } = this.#parts
    const { clock, source, startingPosition } = options
    let from: string | undefined = await untilAnswered(clock, stopping, () =>
      source.start(shardId, startingPosition),
    )
    let nextPollMs = clock.monotonicMs()
    while (!stopping.aborted) {
      if (from !== undefined && clock.monotonicMs() >= nextPollMs && this.#hasRoom()) {
        const at = from
        const page = await untilAnswered(clock, stopping, () => source.read(shardId, at, MAX_RECORDS))
        if (page === undefined) return false
        for (const record of page.records) this.#take(kinesisEventRecord(record, shardId, options.streamArn))
        from = page.next
        this.#isEnd = from === undefined
        nextPollMs = clock.monotonicMs() + POLL_MS
      }
      for (const lane of this.#lanes) lane.pump(this.#isEnd)
      if (this.#isEnd && this.#lanes.every((lane) => lane.isIdle)) return true
      await this.#wait(from === undefined ? undefined : nextPollMs - clock.monotonicMs())
    }
    return false
  }

  /** One read ahead of what the lanes have, and no more. */
  #hasRoom(): boolean {
    return this.#lanes.every((lane) => lane.pending < MAX_RECORDS)
  }

  #take(record: KinesisEventRecord): void {
    if (!this.#passes(record)) {
      this.#parts.onFiltered()
      return
    }
    const { partitionKey, sequenceNumber } = record.kinesis
    const lane = hashOf(partitionKey ?? sequenceNumber) % this.#lanes.length
    this.#lanes[lane]?.add(record)
  }

  async #wait(pollMs: number | undefined): Promise<void> {
    const { clock } = this.#parts.options
    const windows = this.#lanes.flatMap((lane) => lane.windowLeftMs ?? [])
    const waitMs = Math.min(
      pollMs !== undefined && this.#hasRoom() ? Math.max(0, pollMs) : POLL_MS,
      ...windows,
    )
    this.#wake = new AbortController()
    // A batch that ended meanwhile left its lane idle: look at once.
    await clock.sleep(waitMs, AbortSignal.any([this.#wake.signal, this.#parts.stopping]))
  }
}

/** FNV-1a, 32 bits: how the service spreads keys over lanes is not documented; that a key stays in one is. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  }
  return hash >>> 0
}
