import { compareSequence, decodeRuns } from '@eddy/core'
import type { StoredView } from './stored-view.ts'

/** Which records of each shard the stored checkpoint says are done with, by sequence number. */
export function resolvedByCheckpoint(view: StoredView): Map<string, ReadonlySet<string>> {
  const done = new Map<string, ReadonlySet<string>>()
  const records = view.records()
  for (const [shardId, checkpoint] of view.checkpoints()) {
    const sequences = records
      .filter(({ record }) => record.shardId === shardId)
      .map(({ record }) => record.sequenceNumber)
    if (checkpoint.ended) {
      done.set(shardId, new Set(sequences))
      continue
    }
    const { at, sequenceNumber } = checkpoint.from
    if (sequenceNumber === undefined) continue
    const isBefore = (sequence: string): boolean =>
      compareSequence(sequence, sequenceNumber) < (at === 'after_sequence_number' ? 1 : 0)
    const passed = sequences.filter(isBefore)
    const above = sequences.slice(passed.length)
    const resolved = new Set(passed)
    let ordinal = 0
    decodeRuns(checkpoint.runs).forEach((run, index) => {
      if (index % 2 === 1) for (const sequence of above.slice(ordinal, ordinal + run)) resolved.add(sequence)
      ordinal += run
    })
    done.set(shardId, resolved)
  }
  return done
}
