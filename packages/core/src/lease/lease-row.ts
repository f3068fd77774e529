import type { ItemKey } from '../ports/table.ts'

/** The stored lease of one place. */
export interface LeaseRow {
  readonly [name: string]: string | number | boolean | undefined
  /** Empty: it is free. */
  readonly owner: string
  /** Of one holding of it: by this its owner knows its own writes. */
  readonly term: string
  /** Raised by every write of its owner: whoever sees it change knows that the owner lives. */
  readonly counter: number
  /** Ends of owners in a row that were not clean, before what was under way at the first one was done. */
  readonly unclean: number
  /** Of the last reading that began under it. */
  readonly epoch?: number
  /** A worker that has fewer. */
  readonly wantedBy?: string
  /** A shard that is read to its end for every subscription: nobody needs to own it. */
  readonly isDone?: boolean
}

/** A worker, so that one that owns nothing yet is known too. */
export interface WorkerRow {
  readonly [name: string]: string | number
  readonly counter: number
  /** What people know it by. */
  readonly name: string
  readonly startedAtMs: number
}

export interface StoredLease {
  readonly row: LeaseRow
  readonly version: number
}

/** One partition, so that one query sees all of it: a row a shard, a queue, a role and a worker. */
export const LEASES = 'lease'

const WORKER = 'worker/'

export function leaseKey(place: string): ItemKey {
  return { partition: LEASES, sort: place }
}

export function workerKey(id: string): ItemKey {
  return { partition: LEASES, sort: `${WORKER}${id}` }
}

/** Undefined for what is no worker's row. */
export function workerOf(sort: string): string | undefined {
  return sort.startsWith(WORKER) ? sort.slice(WORKER.length) : undefined
}
