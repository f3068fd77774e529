import { InvalidOptionError, type ReadPosition, recordPosition } from '@eddy/core'
import { parseTime } from '../http/time.ts'

/**
 * `trim_horizon`, `latest`, `at:SEQ`, `after:SEQ`, the same with `:SUB` for a record within an aggregate, an ISO time or
 * epoch milliseconds. @throws InvalidOptionError
 */
export function parseStartPosition(text: string): ReadPosition {
  if (text === 'trim_horizon' || text === 'latest') return { at: text }
  const sequence = /^(at|after):(\d{1,129})(?::(\d{1,6}))?$/.exec(text)
  if (sequence !== null) return sequencePosition(sequence[2] as string, sequence[1] === 'after', sequence[3])
  const timestampMs = parseTime(text)
  if (timestampMs !== undefined) return { at: 'at_timestamp', timestampMs }
  throw new InvalidOptionError(
    'from',
    'trim_horizon, latest, at:SEQUENCE, after:SEQUENCE (or SEQUENCE:SUB within an aggregate), a time such as 2026-01-31T12:00:00Z, or epoch milliseconds',
    text,
  )
}

function sequencePosition(sequenceNumber: string, isAfter: boolean, sub: string | undefined): ReadPosition {
  if (sub !== undefined) return recordPosition(sequenceNumber, Number(sub) + (isAfter ? 1 : 0))
  return { at: isAfter ? 'after_sequence_number' : 'at_sequence_number', sequenceNumber }
}

/** The text that `parseStartPosition` reads. */
export function formatStartPosition(position: ReadPosition): string {
  switch (position.at) {
    case 'trim_horizon':
    case 'latest':
      return position.at
    case 'at_sequence_number':
      return `at:${position.sequenceNumber}`
    case 'at_sub_sequence_number':
      return `at:${position.sequenceNumber}:${position.subSequenceNumber}`
    case 'after_sequence_number':
      return `after:${position.sequenceNumber}`
    case 'at_timestamp':
      return String(position.timestampMs)
  }
}
