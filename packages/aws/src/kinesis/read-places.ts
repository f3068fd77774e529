import type { LogRecord, StartPosition } from '@eddy/core'
import type { NamedRecord } from './named-record.ts'

/** What is known of a place in a shard: how to go on from there, without asking for it by name. */
export interface ReadPlace {
  /** Records from here on that were read and not handed out, in order. */
  readonly rest: LogRecord[]
  /** Behind `rest`; undefined: `rest` ends a closed shard. */
  readonly iterator: string | undefined
  /** When Kinesis gave it, on the monotonic clock. */
  readonly iteratorAtMs: number
  /** The record that the position names: it comes first, unless retention has removed it. */
  readonly named?: NamedRecord
  /** At the end of `rest`. */
  readonly millisBehindLatest: number
  /** Of the records that were read here last, to ask for no more than may be returned. */
  readonly averageBytes: number
  /** Of the last answer: the shard is paid for it at 2 MiB/s. */
  readonly answeredBytes: number
  /** Nothing from here on is told to have arrived before. */
  readonly arrivedAtMs: number
  /** For a place that has no name of its own: after the record that `LATEST` was behind. */
  readonly latestAtMs?: number
}

/** Iterators expire after five minutes. */
const KEPT_MS = 280_000
/** Of all shards together: what is not kept is read again (I6). */
const MAX_PLACES = 20_000
const MAX_REST_BYTES = 64 * 1024 * 1024

interface Kept {
  readonly place: ReadPlace
  readonly bytes: number
}

/** Places where readings went on last, by position: a reading that comes back there needs no new iterator. */
export class ReadPlaces {
  readonly #kept = new Map<string, Kept>()
  readonly #nowMs: () => number
  #bytes = 0

  /** @param nowMs - monotonic */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** The place, which is then the caller's; undefined when there is none, or its iterator is too old. */
  take(stream: string, shardId: string, position: StartPosition): ReadPlace | undefined {
    const key = keyOf(stream, shardId, position)
    const kept = this.#kept.get(key)
    if (kept === undefined) return undefined
    this.#drop(key, kept)
    const isOld = kept.place.iterator !== undefined && this.#nowMs() - kept.place.iteratorAtMs > KEPT_MS
    return isOld ? undefined : kept.place
  }

  put(stream: string, shardId: string, position: StartPosition, place: ReadPlace): void {
    const key = keyOf(stream, shardId, position)
    const before = this.#kept.get(key)
    if (before !== undefined) this.#drop(key, before)
    const bytes = place.rest.reduce((sum, { data }) => sum + data.length, 0)
    this.#kept.set(key, { place, bytes })
    this.#bytes += bytes
    for (const [oldest, kept] of this.#kept) {
      if (this.#kept.size <= MAX_PLACES && this.#bytes <= MAX_REST_BYTES) return
      this.#drop(oldest, kept)
    }
  }

  forget(stream: string): void {
    for (const [key, kept] of this.#kept) if (key.startsWith(`${stream} `)) this.#drop(key, kept)
  }

  #drop(key: string, { bytes }: Kept): void {
    this.#kept.delete(key)
    this.#bytes -= bytes
  }
}

function keyOf(stream: string, shardId: string, position: StartPosition): string {
  const detail =
    'sequenceNumber' in position
      ? position.sequenceNumber
      : 'timestampMs' in position
        ? position.timestampMs
        : ''
  return `${stream} ${shardId} ${position.at} ${detail}`
}
