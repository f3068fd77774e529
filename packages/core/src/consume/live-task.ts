import type { EventMeta } from '../handle/context.ts'
import type { Reading } from '../lease/reading.ts'
import type { Clock } from '../ports/clock.ts'
import type { EventMarker } from './crash-marker.ts'

/** One record on the live path. */
export interface LiveTask {
  readonly meta: EventMeta
  readonly bytes: Uint8Array
  /** It shares its lane with all of its shard (`blocks` was `shard` when it was taken in), not with its key alone. */
  readonly isSharded: boolean
  /** It may have been handled, or be in the ledger, since before this reading of its shard began. */
  readonly isReplay: boolean
  /** Set when such events are handled one at a time, since the process died again and again. */
  readonly marker?: EventMarker | undefined
  /** That took it in. */
  readonly reading: Reading
  /** Aborts when its shard's reading stops: an event that waits is given back. */
  readonly stop: AbortSignal
  /** It was begun though its key is held, since nothing blocks any more: it must not join what waits there. */
  isFree?: boolean
  /** On the monotonic clock: until then nobody else is given it (messages of a queue, an invocation's records). */
  deadlineMs?: number
  /** Known once it was wanted: most events never fail. */
  laneId?: string
}

/** Room between a handler's timeout and the deadline of what protects it. */
const MARGIN_MS = 10_000

/** Rule 9: a handler is started only if its time fits before the deadline. */
export function hasTimeLeft(
  task: Pick<LiveTask, 'deadlineMs'>,
  clock: Pick<Clock, 'monotonicMs'>,
  longestCallMs: number,
): boolean {
  return task.deadlineMs === undefined || clock.monotonicMs() <= latestStartMs(task.deadlineMs, longestCallMs)
}

/** The last moment at which a handler is started, on the monotonic clock. */
export function latestStartMs(deadlineMs: number, longestCallMs: number): number {
  return deadlineMs - longestCallMs - MARGIN_MS
}
