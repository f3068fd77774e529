import type { EventMeta } from '../handle/context.ts'
import type { CrashMarker } from './crash-marker.ts'

/** One record on the live path. */
export interface LiveTask {
  readonly meta: EventMeta
  readonly bytes: Uint8Array
  /** It may have been handled before an unclean stop. */
  readonly isReplay: boolean
  /** Set when such events are handled one at a time, since the process died again and again. */
  readonly marker?: CrashMarker
  /** Aborts when its shard's reading stops: an event that waits is given back. */
  readonly stop: AbortSignal
  /** Known once it was wanted: most events never fail. */
  laneId?: string
}
