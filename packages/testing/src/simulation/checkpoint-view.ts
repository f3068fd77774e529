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
  checkpoint: StoredCheckpoint,
): ReadonlySet<string> {
  const passed = passedIn(view, shardId, checkpoint)
  const resolved = new Set(passed)
  if (checkpoint.ended || checkpoint.from.sequenceNumber === undefined) return resolved
  const above = view.sequences(shardId).slice(passed.length)
  let ordinal = 0
  decodeRuns(checkpoint.runs).forEach((run, index) => {
    if (index % 2 === 1) for (const sequence of above.slice(ordinal, ordinal + run)) resolved.add(sequence)
    ordinal += run
  })
  return resolved
}

/** Those that the checkpoint is past. */
export function passedIn(
  view: StoredView,
  shardId: string,
  { ended, from: { at, sequenceNumber, subSequenceNumber = 0 } }: StoredCheckpoint,
): readonly string[] {
  const sequences = view.sequences(shardId)
  if (ended) return sequences
  if (sequenceNumber === undefined) return []
  return sequences.filter((name) => {
    const [sequence, sub] = name.split(':') as [string, string | undefined]
    const order = compareSequence(sequence, sequenceNumber)
    if (order !== 0) return order < 0
    return at === 'after_sequence_number' || Number(sub ?? 0) < subSequenceNumber
  })
}
