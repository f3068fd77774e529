const MIN_BYTES = 2 * 1024 * 1024
/** Of all buffers that wait to be used again (I6). */
const KEPT_BYTES = 16 * 1024 * 1024

/**
 * Memory for answers of megabytes, used again and again. Memory that is new has to be mapped page by page, which takes
 * longer than all that is written into it.
 */
export class AnswerBuffers {
  readonly #kept: Buffer[] = []
  #keptBytes = 0

  get keptBytes(): number {
    return this.#keptBytes
  }

  /** A buffer of this size or more: 2, 4, 8... MiB. Its bytes are those of an earlier answer. */
  take(bytes: number): Buffer {
    const index = this.#kept.findIndex(({ length }) => length >= bytes)
    if (index < 0) return Buffer.allocUnsafeSlow(roundedUp(bytes))
    const [buffer] = this.#kept.splice(index, 1) as [Buffer]
    this.#keptBytes -= buffer.length
    return buffer
  }

  /** For a buffer that nobody reads or writes any more. */
  giveBack(buffer: Buffer): void {
    if (this.#keptBytes + buffer.length > KEPT_BYTES) return
    this.#kept.push(buffer)
    this.#keptBytes += buffer.length
  }
}

function roundedUp(bytes: number): number {
  let size = MIN_BYTES
  while (size < bytes) size *= 2
  return size
}
