import type { StartPosition } from '@eddy/core'

/** The record that a position names. It is the first to come, unless retention has removed it. */
export interface NamedRecord {
  readonly sequenceNumber: string
  /** False: the position is after it. */
  readonly isWanted: boolean
}

export function namedBy(position: StartPosition): NamedRecord | undefined {
  if (position.at !== 'at_sequence_number' && position.at !== 'after_sequence_number') return undefined
  return { sequenceNumber: position.sequenceNumber, isWanted: position.at === 'at_sequence_number' }
}
