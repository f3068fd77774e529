import type { StartPosition } from '../ports/log.ts'

/**
 * Where a reader of user records goes on: where a log can, or at a record within an aggregate. The latter is written only
 * for a record that is not the first one: every place has one name.
 */
export type ReadPosition =
  | StartPosition
  | {
      readonly at: 'at_sub_sequence_number'
      readonly sequenceNumber: string
      /** 1 to 999,999. */
      readonly subSequenceNumber: number
    }

/** Where the log is to be read from. */
export function logPosition(from: ReadPosition): StartPosition {
  return from.at === 'at_sub_sequence_number'
    ? { at: 'at_sequence_number', sequenceNumber: from.sequenceNumber }
    : from
}

/** User records of the first record read that come before the position. */
export function skippedOf(from: ReadPosition): number {
  return from.at === 'at_sub_sequence_number' ? from.subSequenceNumber : 0
}

/** The position of a user record, by its numbers. */
export function recordPosition(sequenceNumber: string, subSequenceNumber = 0): ReadPosition {
  return subSequenceNumber === 0
    ? { at: 'at_sequence_number', sequenceNumber }
    : { at: 'at_sub_sequence_number', sequenceNumber, subSequenceNumber }
}
