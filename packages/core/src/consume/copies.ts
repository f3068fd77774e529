import type { ProducerMark } from '../produce/producer-marks.ts'
import { SequenceRuns } from './sequence-runs.ts'

/** A copy is recognised when it arrives within this time after the last record of its producer … */
export const COPY_WINDOW_MS = 600_000
/** … and is among so many of the shard: producers, and runs of their sequences in all (I6). */
const MAX_PRODUCERS = 10_000
const MAX_RUNS = 65_536
/** What of that is saved with each checkpoint, and so is known after a restart: the latest. */
const MAX_SAVED_PRODUCERS = 256
const MAX_SAVED_RUNS = 1_024
const MAX_SAVED_RUNS_EACH = 512

/** One producer in a checkpoint: its id, the arrival of its last record, and runs of sequences as first, last, first, last, … */
export type SavedProducer = readonly [producer: string, lastArrivedAtMs: number, ...runs: readonly number[]]

interface Known {
  readonly runs: SequenceRuns
  lastArrivedAtMs: number
}

interface Pending {
  readonly ordinal: number
  readonly mark: ProducerMark
  readonly arrivedAtMs: number
}

/**
 * Which marked records of a shard one subscription has taken in, so that a second sending of the same one is dropped.
 *
 * - K1 A record is a copy only if one with its mark was taken in before it, at a lower place of the shard or in a parent.
 * - K2 What is saved with a checkpoint is what lies before its base: after a crash the records from there on come again,
 *   the first one of each mark first, and none of them is taken for a copy of itself.
 * - K3 At a limit what is oldest is forgotten, and a copy of it may pass. Nothing is ever taken as seen that was not (I2).
 */
export class Copies {
  /** Of the records below the base. Whoever was heard of last comes last. */
  readonly #known = new Map<string, Known>()
  /** Of those from the base on: at most as many as a subscription takes in beyond it (I6). */
  readonly #pending = new Set<string>()
  #queue: Pending[] = []
  /** Of all known producers. */
  #runs = 0

  constructor(...saved: readonly (readonly SavedProducer[] | undefined)[]) {
    for (const producers of saved)
      for (const [producer, lastArrivedAtMs, ...runs] of producers ?? []) {
        this.#touch(producer, lastArrivedAtMs, (known) => {
          for (let at = 0; at + 1 < runs.length; at += 2)
            known.addRun(runs[at] as number, runs[at + 1] as number)
        })
      }
  }

  /**
   * To be told of every marked record, in the shard's order.
   * @returns true when it is a copy
   */
  isCopy(mark: ProducerMark, ordinal: number, arrivedAtMs: number): boolean {
    const { producer, sequence } = mark
    const name = `${sequence} ${producer}`
    if (this.#pending.has(name) || this.#known.get(producer)?.runs.has(sequence) === true) return true
    this.#pending.add(name)
    this.#queue.push({ ordinal, mark, arrivedAtMs })
    return false
  }

  /** What is known of the records before `base`, for a checkpoint that begins there. */
  saved(base: number): readonly SavedProducer[] {
    this.advance(base)
    const saved: SavedProducer[] = []
    let runsLeft = MAX_SAVED_RUNS
    for (const [producer, { lastArrivedAtMs, runs }] of [...this.#known]
      .slice(-MAX_SAVED_PRODUCERS)
      .reverse()) {
      const highest = runs.highest(Math.min(MAX_SAVED_RUNS_EACH, runsLeft))
      saved.unshift([producer, lastArrivedAtMs, ...highest])
      runsLeft -= highest.length / 2
      if (runsLeft === 0) break
    }
    return saved
  }

  /** Ordinals below `base` do not come again. */
  advance(base: number): void {
    let passed = 0
    for (const { ordinal, mark, arrivedAtMs } of this.#queue) {
      if (ordinal >= base) break
      passed += 1
      this.#pending.delete(`${mark.sequence} ${mark.producer}`)
      this.#touch(mark.producer, arrivedAtMs, (runs) => runs.add(mark.sequence))
    }
    if (passed > 0) this.#queue = this.#queue.slice(passed)
  }

  #touch(producer: string, arrivedAtMs: number, add: (runs: SequenceRuns) => void): void {
    const known = this.#known.get(producer) ?? { runs: new SequenceRuns(), lastArrivedAtMs: 0 }
    this.#runs -= this.#known.has(producer) ? known.runs.count : 0
    add(known.runs)
    this.#runs += known.runs.count
    known.lastArrivedAtMs = Math.max(known.lastArrivedAtMs, arrivedAtMs)
    this.#known.delete(producer)
    this.#known.set(producer, known)
    for (const [oldest, { lastArrivedAtMs, runs }] of this.#known) {
      const isRoom = this.#known.size <= MAX_PRODUCERS && this.#runs <= MAX_RUNS
      if (oldest === producer || (isRoom && lastArrivedAtMs >= arrivedAtMs - COPY_WINDOW_MS)) break
      this.#known.delete(oldest)
      this.#runs -= runs.count
    }
  }
}
