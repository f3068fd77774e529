import type { Clock } from '@eddy/core'
import { asBuffer } from '../store/as-buffer.ts'
import type { CommitScope } from '../store/commit-scope.ts'
import { readUint32, writeUint32, writeUint64 } from '../store/key-bytes.ts'
import type { LogStore } from './log-store.ts'
import {
  BLOCK_SEQUENCES,
  blockOf,
  blockOfRunKey,
  encodeRun,
  findInRun,
  highestOffset,
  offsetsOf,
  ProducerRun,
  producerPrefix,
  runAtMs,
  runKey,
  type StoredAt,
} from './producer-run-codec.ts'
import { SeenBlocks, SeenSequences } from './seen-sequences.ts'

/** A copy is recognised when it comes within this time of the first one … */
export const PRODUCER_WINDOW_MS: number = 60 * 60 * 1_000
/** … and is less than this far below the producer's highest sequence. */
export const PRODUCER_WINDOW_SEQUENCES = 1_000_000
const MAX_PRODUCERS_IN_MEMORY = 10_000
const MAX_RUNS_PRUNED_A_STEP = 2_000
const LAST = Number.MAX_SAFE_INTEGER

interface Producer {
  readonly prefix: Buffer
  highest: number
  committedHighest: number
  readonly seen: SeenSequences
}

interface CommitRuns {
  readonly producers: Set<Producer>
  readonly runs: Map<Producer, Map<number, ProducerRun>>
}

/**
 * Which producer sequences were stored, durable in the commit that stored the records. A sequence above the producer's
 * highest is new without a look-up; only an older one is searched.
 */
export class ProducerRuns {
  readonly #store: LogStore
  readonly #clock: Clock
  readonly #producers = new Map<string, Producer>()
  /** Whose sequence was looked at last: those of a call come one after another. */
  #last:
    | {
        readonly scope: CommitScope
        readonly streamNo: number
        readonly id: string
        readonly producer: Producer
      }
    | undefined
  readonly #seenBlocks = new SeenBlocks(() => {
    for (const { seen } of this.#producers.values()) seen.forget()
  })
  #ages = 0
  #lastAgeMs = 0

  constructor(store: LogStore, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  /** Where the copy is stored; undefined when the sequence is new. Inside a commit. */
  find(scope: CommitScope, streamNo: number, producerId: string, sequence: number): StoredAt | undefined {
    const producer = this.#producer(scope, streamNo, producerId)
    if (sequence > producer.highest || sequence <= producer.highest - PRODUCER_WINDOW_SEQUENCES)
      return undefined
    const block = blockOf(sequence)
    const run = this.#commitRuns(scope).runs.get(producer)?.get(block)
    if (!producer.seen.knows(block)) this.#loadSeen(producer, block, run)
    if (!producer.seen.has(sequence)) return undefined
    return run?.find(sequence) ?? this.#findStored(producer, block, sequence)
  }

  /** Inside a commit, after the record got its place. */
  add(scope: CommitScope, streamNo: number, producerId: string, sequence: number, stored: StoredAt): void {
    const producer = this.#producer(scope, streamNo, producerId)
    const block = blockOf(sequence)
    // Nothing was stored of it so far: there is nothing to load.
    if (block > blockOf(producer.highest)) producer.seen.begin(block)
    producer.seen.add(sequence)
    producer.highest = Math.max(producer.highest, sequence)
    const { runs } = this.#commitRuns(scope)
    let blocks = runs.get(producer)
    if (blocks === undefined) {
      blocks = new Map()
      runs.set(producer, blocks)
    }
    let run = blocks.get(block)
    if (run === undefined) {
      run = new ProducerRun()
      blocks.set(block, run)
    }
    run.add(sequence, stored)
  }

  /** Removes runs that left the window, a bounded number; true when there are more. */
  async prune(): Promise<boolean> {
    const beforeMs = this.#clock.now() - PRODUCER_WINDOW_MS
    if (!this.#hasOlderThan(beforeMs)) return false
    return this.#store.committer.submit(1_024, (scope) => this.#pruneStep(scope, beforeMs))
  }

  #hasOlderThan(beforeMs: number): boolean {
    for (const _ of this.#store.producerRunAges.getKeys({ end: ageKey(beforeMs, 0), limit: 1 })) return true
    return false
  }

  #pruneStep(scope: CommitScope, beforeMs: number): boolean {
    const ages: { key: Buffer; value: Buffer }[] = []
    let runs = 0
    for (const { key, value } of this.#store.producerRunAges.getRange({ end: ageKey(beforeMs, 0) })) {
      if (runs >= MAX_RUNS_PRUNED_A_STEP) break
      ages.push({ key: Buffer.from(key), value: asBuffer(value) })
      runs += readUint32(value, 0)
    }
    for (const { key, value } of ages) {
      for (const runKeyBytes of decodeKeys(value)) {
        const run = this.#store.producerRuns.getBinary(runKeyBytes)
        if (run !== undefined && runAtMs(run) < beforeMs) scope.remove(this.#store.producerRuns, runKeyBytes)
      }
      scope.remove(this.#store.producerRunAges, key)
    }
    return runs >= MAX_RUNS_PRUNED_A_STEP
  }

  /** What the disk has of the block, and what the commit under way will add. */
  #loadSeen(producer: Producer, block: number, run: ProducerRun | undefined): void {
    producer.seen.begin(block)
    for (const { value } of this.#store.producerRuns.getRange(blockRange(producer, block))) {
      for (const offset of offsetsOf(asBuffer(value))) producer.seen.add(block * BLOCK_SEQUENCES + offset)
    }
    for (const sequence of run?.producerSequences ?? []) producer.seen.add(sequence)
  }

  #findStored(producer: Producer, block: number, sequence: number): StoredAt | undefined {
    const notBeforeMs = this.#clock.now() - PRODUCER_WINDOW_MS
    for (const { value } of this.#store.producerRuns.getRange(blockRange(producer, block))) {
      const bytes = asBuffer(value)
      const found = runAtMs(bytes) < notBeforeMs ? undefined : findInRun(bytes, sequence)
      if (found !== undefined) return found
    }
    return undefined
  }

  #producer(scope: CommitScope, streamNo: number, producerId: string): Producer {
    const last = this.#last
    if (last?.scope === scope && last.id === producerId && last.streamNo === streamNo) return last.producer
    const producer = this.#producerOf(scope, streamNo, producerId)
    this.#last = { scope, streamNo, id: producerId, producer }
    return producer
  }

  #producerOf(scope: CommitScope, streamNo: number, producerId: string): Producer {
    const name = `${streamNo}/${producerId}`
    let producer = this.#producers.get(name)
    if (producer === undefined) {
      const prefix = producerPrefix(streamNo, producerId)
      const highest = this.#loadHighest(prefix)
      const seen = new SeenSequences(this.#seenBlocks)
      producer = { prefix, highest, committedHighest: highest, seen }
      this.#evict()
      this.#producers.set(name, producer)
    }
    this.#commitRuns(scope).producers.add(producer)
    return producer
  }

  /** Forgets the producer known for longest; it is read again when it comes back (I6). */
  #evict(): void {
    if (this.#producers.size < MAX_PRODUCERS_IN_MEMORY) return
    this.#last = undefined
    for (const [name, producer] of this.#producers) {
      // One that the running commit raised must stay: the disk does not know it yet.
      if (producer.highest !== producer.committedHighest) continue
      producer.seen.forget()
      this.#producers.delete(name)
      return
    }
  }

  #loadHighest(prefix: Buffer): number {
    const { producerRuns } = this.#store
    const all = { start: runKey(prefix, LAST, LAST), end: prefix, reverse: true, limit: 1 }
    let block: number | undefined
    for (const key of producerRuns.getKeys(all)) block = blockOfRunKey(key)
    if (block === undefined) return -1
    let highest = 0
    for (const { value } of producerRuns.getRange({
      start: runKey(prefix, block, 0),
      end: runKey(prefix, block, LAST),
    })) {
      highest = Math.max(highest, highestOffset(asBuffer(value)))
    }
    return block * BLOCK_SEQUENCES + highest
  }

  #commitRuns(scope: CommitScope): CommitRuns {
    return scope.shared(this, () => {
      const made: CommitRuns = { producers: new Set(), runs: new Map() }
      scope.atEnd(() => this.#write(scope, made))
      scope.onCommitted(() => {
        for (const producer of made.producers) producer.committedHighest = producer.highest
      })
      scope.onRolledBack(() => {
        for (const producer of made.producers) producer.highest = producer.committedHighest
      })
      return made
    })
  }

  #write(scope: CommitScope, { runs }: CommitRuns): void {
    if (runs.size === 0) return
    const nowMs = Math.max(this.#clock.now(), this.#lastAgeMs)
    const keys: Buffer[] = []
    for (const [producer, blocks] of runs) {
      for (const [block, run] of blocks) {
        const key = runKey(producer.prefix, block, run.producerSequences[0] as number)
        scope.put(this.#store.producerRuns, key, encodeRun(run, nowMs))
        keys.push(key)
      }
    }
    scope.put(this.#store.producerRunAges, this.#nextAgeKey(nowMs), encodeKeys(keys))
  }

  #nextAgeKey(nowMs: number): Buffer {
    // After a reopen the counter starts anew; a key of the same millisecond must not be overwritten.
    do {
      this.#ages = nowMs === this.#lastAgeMs ? this.#ages + 1 : 1
      this.#lastAgeMs = nowMs
    } while (this.#store.producerRunAges.doesExist(ageKey(nowMs, this.#ages)))
    return ageKey(nowMs, this.#ages)
  }
}

function blockRange({ prefix }: Producer, block: number): { readonly start: Buffer; readonly end: Buffer } {
  return { start: runKey(prefix, block, 0), end: runKey(prefix, block, LAST) }
}

function ageKey(atMs: number, counter: number): Buffer {
  const key = Buffer.allocUnsafe(16)
  writeUint64(key, Math.max(0, Math.floor(atMs)), 0)
  writeUint64(key, counter, 8)
  return key
}

function encodeKeys(keys: readonly Buffer[]): Buffer {
  const bytes = Buffer.allocUnsafe(keys.reduce((sum, key) => sum + 4 + key.length, 4))
  writeUint32(bytes, keys.length, 0)
  let at = 4
  for (const key of keys) {
    writeUint32(bytes, key.length, at)
    bytes.set(key, at + 4)
    at += 4 + key.length
  }
  return bytes
}

function* decodeKeys(bytes: Buffer): Generator<Buffer> {
  const count = readUint32(bytes, 0)
  let at = 4
  for (let i = 0; i < count; i++) {
    const length = readUint32(bytes, at)
    yield bytes.subarray(at + 4, at + 4 + length)
    at += 4 + length
  }
}
