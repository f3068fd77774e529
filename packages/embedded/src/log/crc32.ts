import * as zlib from 'node:zlib'

type NativeCrc32 = (data: Uint8Array, value?: number) => number

const nativeCrc32 = (zlib as { crc32?: NativeCrc32 }).crc32

/** CRC-32 of the bytes; `seed` is the CRC of what came before them. */
export const crc32: NativeCrc32 = nativeCrc32 ?? tableCrc32

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  return value
})

/** For Node versions whose zlib has no crc32. */
export function tableCrc32(data: Uint8Array, seed = 0): number {
  let crc = ~seed
  for (let i = 0; i < data.length; i++) {
    crc = (TABLE[(crc ^ (data[i] as number)) & 255] as number) ^ (crc >>> 8)
  }
  return ~crc >>> 0
}
