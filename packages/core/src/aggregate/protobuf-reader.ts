/** What a field says of the bytes that follow it. Groups (3 and 4) are not written any more and not read here. */
export const VARINT = 0
export const FIXED64 = 1
export const BYTES = 2
export const FIXED32 = 5

const MAX_VARINT_BYTES = 10

/**
 * Steps through the fields of a protobuf message in bytes that may hold anything. Never throws and never looks outside
 * its part: what does not fit makes `isBroken` true, and ends the reading.
 */
export class ProtobufReader {
  readonly bytes: Uint8Array
  readonly #end: number
  #at: number
  #broken = false
  /** Of the field that `next` came to. */
  field = 0
  wireType = 0
  /** Of a field of bytes. */
  start = 0
  length = 0
  /** Of a varint; not exact beyond 2^53. */
  value = 0

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes
    this.#at = start
    this.#end = end
  }

  get isBroken(): boolean {
    return this.#broken
  }

  /** Goes to the next field and over its value. @returns false at the end, or when the bytes are broken */
  next(): boolean {
    if (this.#broken || this.#at === this.#end) return false
    const tag = this.#varint()
    this.field = Math.floor(tag / 8)
    this.wireType = tag % 8
    if (this.field < 1) this.#broken = true
    switch (this.wireType) {
      case VARINT:
        this.value = this.#varint()
        break
      case FIXED64:
        this.#skip(8)
        break
      case BYTES:
        this.length = this.#varint()
        this.start = this.#at
        this.#skip(this.length)
        break
      case FIXED32:
        this.#skip(4)
        break
      default:
        this.#broken = true
    }
    return !this.#broken
  }

  #varint(): number {
    let value = 0
    let unit = 1
    for (let count = 0; count < MAX_VARINT_BYTES && this.#at < this.#end; count += 1) {
      const byte = this.bytes[this.#at] as number
      this.#at += 1
      value += (byte & 0x7f) * unit
      if (byte < 0x80) return value
      unit *= 128
    }
    this.#broken = true
    return 0
  }

  #skip(length: number): void {
    if (length > this.#end - this.#at) this.#broken = true
    else this.#at += length
  }
}
