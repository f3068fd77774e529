import type { Claims } from '../fail/claims.ts'
import type { Role } from './places.ts'
import type { Reading } from './reading.ts'

/** How what is read was left: after `unclean` what may have run is known to be a replay; after `looping` it runs one at a time. */
export type LastStop = 'clean' | 'unclean' | 'looping'

/** A process's right to read a shard or a queue. */
export interface Lease {
  readonly lastStop: LastStop
  /** Begins one reading under it. @throws Fenced when another process has it by now */
  begin(): Promise<Reading>
}

/** Whoever works at places while this process has their leases. */
export interface LeaseUser {
  /** The lease is here: begin what can be begun. Called again while `isWaiting`. */
  taken(place: string): void
  /** The lease is another's, or will be at once: begin nothing, write nothing. */
  lost(place: string): void
  /** Finishes what runs. @returns true when everything is saved */
  handOver(place: string): Promise<boolean>
  /** Nothing is left that may have been running when the last owner died. */
  isRecovered(place: string): boolean
  /** Work could not begin yet, though the lease is here. */
  isWaiting(place: string): boolean
  /** Nothing is left to do there, ever. */
  isDone(place: string): boolean
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
  /** Another process works there. */
  isElsewhere(place: string): boolean
  /** Who works there, for people; undefined where that says nothing. */
  nameOf(place: string): string | undefined
  /** This process does for all what one does. */
  leads(role: Role): boolean
  /** Names of the processes that live; empty where there is this one alone. */
  workers(): readonly string[]
  /** For what is written beside any reading: no reading that began before can write over it. */
  nextEpoch(): Promise<number>
  /** There is work at the place. */
  offer(place: string): Promise<void>
  /** Whoever reads a stream has listed its shards: what is done with and listed no more is forgotten. Never rejects. */
  listed(stream: string, shardIds: ReadonlySet<string>): Promise<void>
  /** @param prefix - of the places that the user works at */
  join(prefix: string, user: LeaseUser): void
  /** Everybody has joined. */
  start(): Promise<void>
  /** Takes nothing more, and keeps what it has until `end`. */
  close(): void
  /** Lets everything go. @param isSaved - all checkpoints are stored */
  end(isSaved: boolean): Promise<void>
}
