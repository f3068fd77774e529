import type { LogRecord } from '../ports/log.ts'

/** What a subscription reads: a record of the stream, or one of the many that an aggregate holds. */
export interface UserRecord extends LogRecord {
  /** Its place in the aggregate, from 0. Absent: the record of the stream itself. */
  readonly subSequenceNumber?: number
  /** It came in an aggregate that its producer has sent again: some of it lies outside the shard's hash range. */
  readonly isStray?: true
}
