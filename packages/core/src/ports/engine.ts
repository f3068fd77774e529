import type { Blobs } from './blobs.ts'
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'
import type { Queue } from './queue.ts'
import type { Table } from './table.ts'

/** The five ports, and hashing. All that Eddy does is written over these. */
export interface Engine {
  readonly log: Log
  readonly queue: Queue
  readonly table: Table
  readonly blobs: Blobs
  readonly clock: Clock
  /** MD5 of the text's UTF-8 bytes as 32 lower-case hex digits: where a partition key lies in the hash key space. */
  md5Hex(text: string): string
  /** MD5 of bytes, 16 bytes: the checksum of KPL aggregates. */
  md5(bytes: Uint8Array): Uint8Array
  /** What this engine reports of itself; numbers that grow or stand, for `/metrics`. */
  stats?(): Readonly<Record<string, number>>
  close(): Promise<void>
}
