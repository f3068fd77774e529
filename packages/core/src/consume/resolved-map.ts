import { CorruptDataError } from '../errors/engine-errors.ts'

/** Ordinals between the base and the highest resolved record; their bits take 2 MiB. */
const MAX_SPAN = 16_777_216
const FIRST_WORDS = 16

/**
 * Tracks which admitted records are resolved, by ordinal: one bit a record from the lowest unresolved one on.
 *
 * The caller bounds how many records it admits and leaves unresolved (I6); at 16,777,216 ordinals between the base and
 * the highest resolved record the map refuses to grow. All operations are O(1) amortised but `runs`, which walks the
 * span.
 *
 * Restored from a checkpoint, the first `admit` is the base record again. Ordinals that were resolved before answer
 * true to `wasResolved` and need no `resolve`.
 */
export class ResolvedMap {
  /** Bit i stands for ordinal `#origin + i`. Everything below `#base` is resolved, whatever its bit. */
  #words: Uint32Array = new Uint32Array(FIRST_WORDS)
  #origin = 0
  #base = 0
  #admitted = 0
  /** One past the highest resolved ordinal. */
  #end = 0
  /** Runs of resolved ordinals at or above the base. */
  #segments = 0

  /** @throws CorruptDataError when the runs span more than a map holds */
  constructor(runs: readonly number[] = []) {
    let ordinal = 0
    for (let index = 0; index < runs.length; index += 1) {
      const run = runs[index] as number
      if (ordinal + run > MAX_SPAN) {
        // Only a resolved run counts: nothing is kept of what is unresolved at the end.
        if (index % 2 === 0 && index === runs.length - 1) break
        throw new CorruptDataError("a checkpoint's resolved map", `it spans more than ${MAX_SPAN} records`)
      }
      if (index % 2 === 1) for (let offset = 0; offset < run; offset += 1) this.#mark(ordinal + offset)
      ordinal += run
    }
  }

  /** Lowest unresolved ordinal; the next ordinal when all that was admitted is resolved. */
  get base(): number {
    return this.#base
  }

  /** How many ordinals were given out: the next one. */
  get admitted(): number {
    return this.#admitted
  }

  /** Length of `runs()`, without walking them. Even, and at most twice the resolved runs above the base. */
  get runCount(): number {
    return 2 * this.#segments
  }

  /** Ordinals from the base to the highest resolved one. */
  get span(): number {
    return Math.max(0, this.#end - this.#base)
  }

  /** Gives the next record its ordinal: 0, 1, 2, … */
  admit(): number {
    const ordinal = this.#admitted
    this.#admitted += 1
    this.#advance()
    return ordinal
  }

  /**
   * Admits `count` records that nobody will see: retention removed them, or no reader wants them. They count as
   * resolved, so that ordinals stay those of the log.
   * @throws RangeError when earlier ones are unresolved and the span would pass its limit
   */
  skip(count: number): void {
    if (this.#base === this.#admitted && this.#segments === 0) {
      this.#admitted += count
      this.#base = this.#admitted
      this.#restart()
      return
    }
    const from = this.#admitted
    const to = from + count
    if (this.#base < from && to - this.#base > MAX_SPAN) throw spanError(to - this.#base)
    if (this.#base === from && to >= this.#end) {
      this.#admitted = to
      this.#base = to
      this.#segments = 0
      this.#restart()
      return
    }
    this.#admitted = to
    for (let ordinal = from; ordinal < to; ordinal += 1) this.resolve(ordinal)
    this.#advance()
  }

  /** Forgets what a restored map has resolved among the records that are still to come: they come as unresolved. */
  forgetAbove(): void {
    for (let ordinal = this.#admitted; ordinal < this.#end; ordinal += 1) {
      const offset = ordinal - this.#origin
      this.#words[offset >>> 5] = (this.#words[offset >>> 5] as number) & ~(1 << (offset & 31))
    }
    this.#end = Math.min(this.#end, this.#admitted)
    this.#segments = this.runs().length >>> 1
  }

  /**
   * Marks an ordinal as resolved; a second time changes nothing.
   * @throws RangeError when it was never given out, or the span would pass its limit
   */
  resolve(ordinal: number): void {
    if (!(ordinal >= 0 && ordinal < this.#admitted)) {
      throw new RangeError(`ordinal ${ordinal} was never given out: the next is ${this.#admitted}`)
    }
    if (this.wasResolved(ordinal)) return
    this.#mark(ordinal)
    if (ordinal === this.#base) this.#advance()
  }

  /** True for an ordinal that is resolved: in this life, or in the one the runs were saved by. */
  wasResolved(ordinal: number): boolean {
    return ordinal < this.#base || (ordinal < this.#end && this.#bit(ordinal))
  }

  /**
   * Run lengths from the base on, unresolved first, ending in a resolved run; empty when nothing above the base is
   * resolved. The first is 0 when the base was not admitted yet and a restored map has it resolved.
   */
  runs(): number[] {
    const runs: number[] = []
    let resolved = false
    let length = 0
    for (let ordinal = this.#base; ordinal < this.#end; ordinal += 1) {
      const bit = this.#bit(ordinal)
      if (bit !== resolved) {
        runs.push(length)
        resolved = bit
        length = 0
      }
      length += 1
    }
    if (length > 0 && resolved) runs.push(length)
    return runs
  }

  #mark(ordinal: number): void {
    if (ordinal + 1 - this.#base > MAX_SPAN) throw spanError(ordinal + 1 - this.#base)
    this.#reserve(ordinal)
    const left = ordinal > this.#base && this.wasResolved(ordinal - 1)
    const right = this.wasResolved(ordinal + 1)
    this.#segments += 1 - Number(left) - Number(right)
    const offset = ordinal - this.#origin
    this.#words[offset >>> 5] = (this.#words[offset >>> 5] as number) | (1 << (offset & 31))
    if (ordinal >= this.#end) this.#end = ordinal + 1
  }

  /** Moves the base over resolved ordinals, never past the next one: its record has not been seen. */
  #advance(): void {
    const before = this.#base
    while (this.#base < this.#admitted && this.#base < this.#end && this.#bit(this.#base)) this.#base += 1
    if (this.#base === before) return
    // What was passed is one run; it is gone unless the base stopped within it.
    if (!(this.#base < this.#end && this.#bit(this.#base))) this.#segments -= 1
    if (this.#base >= this.#end) this.#restart()
  }

  #bit(ordinal: number): boolean {
    const offset = ordinal - this.#origin
    return ((this.#words[offset >>> 5] as number) & (1 << (offset & 31))) !== 0
  }

  /** Nothing is resolved above the base: the bits start anew there. Clears no more words than were used. */
  #restart(): void {
    const used = Math.min(this.#words.length, ((Math.max(0, this.#end - this.#origin) + 31) >>> 5) + 1)
    this.#words.fill(0, 0, used)
    this.#origin = this.#base
    this.#end = this.#base
  }

  #reserve(ordinal: number): void {
    const needed = ((ordinal - this.#origin) >>> 5) + 1
    if (needed <= this.#words.length) return
    const spent = (this.#base - this.#origin) >>> 5
    // Half of it spent: moving down pays for itself. Else double.
    const words =
      spent * 2 >= this.#words.length && needed - spent <= this.#words.length
        ? this.#words
        : new Uint32Array(Math.max(this.#words.length * 2, needed - spent))
    const kept = this.#words.subarray(spent)
    words.set(kept)
    if (words === this.#words) words.fill(0, kept.length)
    this.#words = words
    this.#origin += spent * 32
  }
}

function spanError(span: number): RangeError {
  return new RangeError(`a resolved map spans at most ${MAX_SPAN} records, not ${span}: stop intake earlier`)
}
