import { compareSequence, decodeRuns } from '@eddy/core'
import type { StoredCheckpoint, StoredView } from './stored-view.ts'

/** Which records of each shard the stored checkpoint says are done with, by sequence number. */
export function resolvedByCheckpoint(view: StoredView): Map<string, ReadonlySet<string>> {
  return new Map(
    Array.from(view.checkpoints(), ([shardId, checkpoint]) => [
      shardId,
      resolvedIn(view, shardId, checkpoint),
    ]),
  )
}

export function resolvedIn(
  view: StoredView,
  shardId: string,
  { ended, from, runs }: StoredCheckpoint,
): ReadonlySet<string> {
  const sequences = view.sequences(shardId)
  if (ended) return new Set(sequences)
  const { at, sequenceNumber } = from
  if (sequenceNumber === undefined) return new Set()
  const isBefore = (sequence: string): boolean =>
    compareSequence(sequence, sequenceNumber) < (at === 'after_sequence_number' ? 1 : 0)
  const passed = sequences.filter(isBefore)
  const above = sequences.slice(passed.length)
  const resolved = new Set(passed)
  let ordinal = 0
  decodeRuns(runs).forEach((run, index) => {
    if (index % 2 === 1) for (const sequence of above.slice(ordinal, ordinal + run)) resolved.add(sequence)
    ordinal += run
  })
  return resolved
}
