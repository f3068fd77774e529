const TWO_32 = 4_294_967_296

/** Writes a whole number below 2^53 as 8 big-endian bytes, which sort like the number. */
export function writeUint64(target: Uint8Array, value: number, offset: number): void {
  writeUint32(target, Math.floor(value / TWO_32), offset)
  writeUint32(target, value >>> 0, offset + 4)
}

export function readUint64(source: Uint8Array, offset: number): number {
  return readUint32(source, offset) * TWO_32 + readUint32(source, offset + 4)
}

/** Big-endian. */
export function writeUint32(target: Uint8Array, value: number, offset: number): void {
  target[offset] = value >>> 24
  target[offset + 1] = value >>> 16
  target[offset + 2] = value >>> 8
  target[offset + 3] = value
}

/** Big-endian. */
export function readUint32(source: Uint8Array, offset: number): number {
  return (
    (((source[offset] as number) << 24) |
      ((source[offset + 1] as number) << 16) |
      ((source[offset + 2] as number) << 8) |
      (source[offset + 3] as number)) >>>
    0
  )
}

/** The 4 bytes of a stream's or a queue's number. */
export function uint32Key(value: number): Buffer {
  const key = Buffer.allocUnsafe(4)
  writeUint32(key, value, 0)
  return key
}

/** The first key after every key that starts with `prefix`. */
export function afterPrefix(prefix: Uint8Array): Buffer {
  const end = Buffer.from(prefix)
  for (let i = end.length - 1; i >= 0; i--) {
    if ((end[i] as number) < 255) {
      end[i] = (end[i] as number) + 1
      return end.subarray(0, i + 1)
    }
  }
  return Buffer.alloc(end.length + 1, 255)
}
