import { BLOCK_SEQUENCES, blockOf } from './producer-run-codec.ts'

/** Blocks of all producers in memory, 128 bytes each: at the limit all are forgotten, and read again as needed (I6). */
const MAX_BLOCKS = 65_536

/** How many blocks all producers have in memory. */
export class SeenBlocks {
  readonly #forgetAll: () => void
  #count = 0

  constructor(forgetAll: () => void) {
    this.#forgetAll = forgetAll
  }

  /** Before a block is added. */
  makeRoom(): void {
    if (this.#count >= MAX_BLOCKS) this.#forgetAll()
    this.#count += 1
  }

  removed(blocks: number): void {
    this.#count -= blocks
  }
}

/**
 * Which sequences of a producer may be stored, a bit each. A producer that writes to several shards at their own pace sends its
 * sequences out of order: without this, each one below the highest would be searched for on disk, in every commit that
 * holds some of its block.
 *
 * A bit that is not set in a block that is known: the sequence is not stored. One that is set may be stored: what was
 * rolled back, or is too old, leaves its bit.
 */
export class SeenSequences {
  readonly #blocks = new Map<number, Uint8Array>()
  readonly #all: SeenBlocks

  constructor(all: SeenBlocks) {
    this.#all = all
  }

  knows(block: number): boolean {
    return this.#blocks.has(block)
  }

  /** From now on the block is known; what is stored of it is added next. */
  begin(block: number): void {
    if (this.#blocks.has(block)) return
    this.#all.makeRoom()
    this.#blocks.set(block, new Uint8Array(BLOCK_SEQUENCES / 8))
  }

  /** Nothing for a block that is not known. */
  add(sequence: number): void {
    const bits = this.#blocks.get(blockOf(sequence))
    if (bits === undefined) return
    const offset = sequence % BLOCK_SEQUENCES
    bits[offset >> 3] = (bits[offset >> 3] as number) | (1 << (offset & 7))
  }

  /** True for what may be stored. */
  has(sequence: number): boolean {
    const bits = this.#blocks.get(blockOf(sequence))
    if (bits === undefined) return true
    const offset = sequence % BLOCK_SEQUENCES
    return ((bits[offset >> 3] as number) & (1 << (offset & 7))) !== 0
  }

  forget(): void {
    this.#all.removed(this.#blocks.size)
    this.#blocks.clear()
  }
}
