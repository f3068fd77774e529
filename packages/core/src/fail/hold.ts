import type { LedgerItem } from '../model/ledger-item.ts'
import { afterPosition, type Position } from '../model/position.ts'
import type { TableItem } from '../ports/table.ts'
import { Fenced } from '../runtime/fenced.ts'
import type { Lane } from './lane.ts'

/**
 * The hold of one lane in one subscription: what makes the lane's later events wait (`blocks: 'key'` and `'shard'`).
 *
 * - H1 `lo`: all of the lane before it is resolved, or failed while nothing blocked and waits by itself. Never falls.
 * - H2 `tail`: the last event diverted. Never falls while held.
 * - H3 Every write is conditional on the version read, and on no later epoch having written.
 * - H4 A released hold stays as a watermark until the checkpoint is past it.
 */
export interface Hold {
  readonly state: 'held' | 'open'
  readonly lo: Position
  readonly tail: Position
  /** Unresolved events up to here are dead-lettered with the one that failed. */
  readonly cut?: Position
  /** Of the reading that wrote last. */
  readonly epoch: number
  readonly key: string
  readonly explicitHashKey?: string
  /** With a shard's hold: the lane of the event that failed. */
  readonly cause?: Lane
  /** The ledger's lane: the key's, also where the whole shard is held. */
  readonly laneId: string
  /** Of the event at `tail`. */
  readonly shardId: string
  /** How often an event that the lane was done with was sent again in its place: who drains begins at `lo` then. */
  readonly reopened?: number
  readonly updatedAtMs: number
}

export interface HoldEntry {
  readonly hold: Hold
  readonly version: number
}

export type HoldWrite =
  | { readonly ok: true; readonly entry: HoldEntry }
  | { readonly ok: false; readonly current: HoldEntry | undefined }

/** The lane is held, and the item is among what waits in it. */
export function isWithin(hold: HoldEntry | undefined, item: Pick<LedgerItem, 'position'>): boolean {
  return (
    hold?.hold.state === 'held' &&
    item.position >= hold.hold.lo &&
    item.position <= afterPosition(hold.hold.tail)
  )
}

/** A hold that was removed and made anew has a later epoch, or the reading that made it knew of no other. */
export function isNewerHold(a: HoldEntry, b: HoldEntry): boolean {
  return a.hold.epoch > b.hold.epoch || (a.hold.epoch === b.hold.epoch && a.version > b.version)
}

export function checkOwned(entry: HoldEntry | undefined, epoch: number | undefined): void {
  if (entry !== undefined && epoch !== undefined && entry.hold.epoch > epoch)
    throw new Fenced(`the key ${JSON.stringify(entry.hold.key.trimStart())}`)
}

export function isSameHold(a: Hold, b: Hold): boolean {
  return (
    a.epoch === b.epoch &&
    a.state === b.state &&
    a.lo === b.lo &&
    a.tail === b.tail &&
    a.cut === b.cut &&
    a.reopened === b.reopened
  )
}

export function holdEntryOf(item: TableItem): HoldEntry {
  return { hold: item.value as unknown as Hold, version: item.version }
}
