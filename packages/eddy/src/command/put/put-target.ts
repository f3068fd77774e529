import type { PreparedItem, ProducerLog } from '@eddy/core'
import type { PutItem } from './put-source.ts'

/** Where lines go, and what each is there. */
export interface PutTarget {
  /** The stream's or the queue's name. */
  readonly name: string
  readonly log: ProducerLog
  /** @param id - of the record, unless the line says it */
  toRecord(item: PutItem, id: string): PreparedItem
  /** Nothing is sent any more. */
  close?(): void
}
