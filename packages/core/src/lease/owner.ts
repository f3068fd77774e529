import type { Claims } from '../fail/claims.ts'
import type { Reading } from './reading.ts'

/** How what is read was left: after `unclean` what may have run is known to be a replay; after `looping` it runs one at a time. */
export type LastStop = 'clean' | 'unclean' | 'looping'

/** A process's right to read a shard or a queue. */
export interface Lease {
  readonly lastStop: LastStop
  /** Begins one reading under it. @throws Fenced when another process has it by now */
  begin(): Promise<Reading>
}

/** What this process owns of the engine: all of it, or what it has leases of. */
export interface Owner {
  /** Other processes work on the engine too: what is stored may change under this one. */
  readonly isShared: boolean
  readonly claims: Claims
  /** Epoch of the process where it owns all; no write of it goes over a later one's. */
  readonly fence: number | undefined
  /** Undefined: it is not this process's to read now. */
  lease(place: string): Lease | undefined
  /** For what is written beside any reading: no reading that began before can write over it. */
  nextEpoch(): Promise<number>
}
