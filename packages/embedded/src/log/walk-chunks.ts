import { CorruptDataError } from '@eddy/core'
import { checkSegment, segmentsFrom } from './chunk-codec.ts'
import type { FoundChunk } from './chunk-search.ts'
import { FramePlace, skipFrame } from './record-frames.ts'

/** Gets a record's frame in its chunk; `place` is another frame's after the call. */
export type TakeFrame = (bytes: Buffer, place: FramePlace, sequence: number, arrivedAtMs: number) => void

/** What one read may take, and what it has taken: up to its limits, but at least one record. */
export class ReadLimits {
  records = 0
  lastSequence = -1
  lastArrivedAtMs = 0
  readonly #maxRecords: number
  readonly #maxBytes: number
  readonly #end: number
  #bytes = 0

  /** @param end - nothing is handed out before its commit was acknowledged: what has this sequence number or a higher one */
  constructor(
    { maxRecords, maxBytes }: { readonly maxRecords: number; readonly maxBytes: number },
    end: number,
  ) {
    this.#maxRecords = maxRecords
    this.#maxBytes = maxBytes
    this.#end = end
  }

  wants(sequence: number): boolean {
    return sequence < this.#end && this.records < this.#maxRecords
  }

  /** Counts the record; false when it is too much. */
  admit(sequence: number, bytes: number, arrivedAtMs: number): boolean {
    if (!this.wants(sequence)) return false
    if (this.records > 0 && this.#bytes + bytes > this.#maxBytes) return false
    this.records += 1
    this.#bytes += bytes
    this.lastSequence = sequence
    this.lastArrivedAtMs = arrivedAtMs
    return true
  }
}

/** Checks what is read of the chunks, and hands over the records from `from` on, as far as the limits go. @throws CorruptDataError */
export function walkChunks(
  chunks: Iterable<FoundChunk>,
  from: number,
  limits: ReadLimits,
  take: TakeFrame,
  where: () => string,
): void {
  for (const chunk of chunks) if (!walkChunk(chunk, from, limits, take, where)) return
}

/** False when the limits are reached. */
function walkChunk(
  { bytes, firstSequence }: FoundChunk,
  from: number,
  limits: ReadLimits,
  take: TakeFrame,
  where: () => string,
): boolean {
  const place = new FramePlace()
  for (const segment of segmentsFrom(bytes, firstSequence, from)) {
    if (!limits.wants(segment.firstSequence)) return false
    checkSegment(bytes, segment, where)
    const { arrivedAtMs, end } = segment
    let at = segment.start
    for (let i = 0; i < segment.count; i++) {
      const sequence = segment.firstSequence + i
      if (sequence < from) {
        at = skipFrame(bytes, at)
        continue
      }
      if (!place.read(bytes, at, end)) throw new CorruptDataError(where(), `record ${sequence} is cut off`)
      if (!limits.admit(sequence, place.end - place.dataStart, arrivedAtMs)) return false
      take(bytes, place, sequence, arrivedAtMs)
      at = place.end
    }
  }
  return true
}
