import type { EventMeta } from '../handle/context.ts'
import type { CrashMarker } from './crash-marker.ts'

/** One record on the live path. */
export interface LiveTask {
  readonly meta: EventMeta
  readonly bytes: Uint8Array
  /** It shares its lane with all of its shard (`blocks` was `shard` when it was taken in), not with its key alone. */
  readonly isSharded: boolean
  /** It may have been handled, or be in the ledger, since before this reading of its shard began. */
  readonly isReplay: boolean
  /** Set when such events are handled one at a time, since the process died again and again. */
  readonly marker?: CrashMarker
  /** Aborts when its shard's reading stops: an event that waits is given back. */
  readonly stop: AbortSignal
  /** It was begun though its key is held, since nothing blocks any more: it must not join what waits there. */
  isFree?: boolean
  /** Known once it was wanted: most events never fail. */
  laneId?: string
}
