import type { AppendEntry } from '../ports/log.ts'

/** What one `Log.append` takes, as PutRecords does. */
export const MAX_BATCH_ENTRIES = 500
export const MAX_BATCH_BYTES: number = 10 * 1024 * 1024

/** An event on its way. */
export interface PendingEntry {
  /** Place in the request. */
  readonly index: number
  readonly id: string
  readonly lane: string
  readonly entry: AppendEntry
  tries: number
  /** On the monotonic clock; 0 before the first try. */
  notBeforeMs: number
  firstSentMs: number | undefined
}

export interface BatchChoice {
  readonly batch: readonly PendingEntry[]
  /** What stays, in order. */
  readonly rest: readonly PendingEntry[]
  /** When the first entry that only waits for its time may go; undefined when none does. */
  readonly wakeAtMs: number | undefined
}

/**
 * Takes what may be sent now, in order. An entry that has to wait (for its time, or for its lane's turn) keeps back
 * every later one of its lane, so no record of a key overtakes an earlier unaccepted one (I3).
 */
export function selectBatch(
  pending: readonly PendingEntry[],
  nowMs: number,
  mayUse: (lane: string) => boolean,
): BatchChoice {
  const batch: PendingEntry[] = []
  const rest: PendingEntry[] = []
  const waiting = new Set<string>()
  let bytes = 0
  let full = false
  let wakeAtMs: number | undefined
  for (const candidate of pending) {
    if (full || waiting.has(candidate.lane)) {
      rest.push(candidate)
      continue
    }
    const early = candidate.notBeforeMs > nowMs
    if (early || !mayUse(candidate.lane)) {
      if (early) wakeAtMs = Math.min(wakeAtMs ?? Number.POSITIVE_INFINITY, candidate.notBeforeMs)
      waiting.add(candidate.lane)
      rest.push(candidate)
      continue
    }
    const size = sizeOf(candidate.entry)
    full = batch.length === MAX_BATCH_ENTRIES || (batch.length > 0 && bytes + size > MAX_BATCH_BYTES)
    if (full) {
      rest.push(candidate)
      continue
    }
    batch.push(candidate)
    bytes += size
  }
  return { batch, rest, wakeAtMs }
}

/** Never less than what services count: a UTF-16 unit takes at most 3 bytes of UTF-8. */
function sizeOf(entry: AppendEntry): number {
  return entry.data.length + 3 * entry.partitionKey.length
}
