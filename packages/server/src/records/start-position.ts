import { InvalidOptionError, type StartPosition } from '@eddy/core'
import { parseTime } from '../http/time.ts'

/** `trim_horizon`, `latest`, `at:SEQ`, `after:SEQ`, an ISO time or epoch milliseconds. @throws InvalidOptionError */
export function parseStartPosition(text: string): StartPosition {
  if (text === 'trim_horizon' || text === 'latest') return { at: text }
  const sequence = /^(at|after):(\d{1,129})$/.exec(text)
  if (sequence !== null) {
    return {
      at: sequence[1] === 'at' ? 'at_sequence_number' : 'after_sequence_number',
      sequenceNumber: sequence[2] as string,
    }
  }
  const timestampMs = parseTime(text)
  if (timestampMs !== undefined) return { at: 'at_timestamp', timestampMs }
  throw new InvalidOptionError(
    'from',
    'trim_horizon, latest, at:SEQUENCE, after:SEQUENCE, a time such as 2026-01-31T12:00:00Z, or epoch milliseconds',
    text,
  )
}

/** The text that `parseStartPosition` reads. */
export function formatStartPosition(position: StartPosition): string {
  switch (position.at) {
    case 'trim_horizon':
    case 'latest':
      return position.at
    case 'at_sequence_number':
      return `at:${position.sequenceNumber}`
    case 'after_sequence_number':
      return `after:${position.sequenceNumber}`
    case 'at_timestamp':
      return String(position.timestampMs)
  }
}
