import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'

const HEADER_BYTES = 12
const FRAME_BYTES = 6

/**
 * The yardstick: what a hand-written log can do. One file a shard; a chunk is one frame of records with a CRC-32,
 * written with one write and flushed with one fdatasync.
 */
export class SegmentFile {
  readonly #handle: FileHandle
  #buffer = Buffer.alloc(0)
  #position = 0

  private constructor(handle: FileHandle) {
    this.#handle = handle
  }

  static async create(dir: string, shard: number): Promise<SegmentFile> {
    return new SegmentFile(await open(join(dir, `${shard}.log`), 'wx'))
  }

  async append(
    records: readonly { readonly partitionKey: string; readonly data: Uint8Array }[],
  ): Promise<void> {
    let bytes = HEADER_BYTES
    for (const { partitionKey, data } of records) bytes += FRAME_BYTES + partitionKey.length + data.length
    if (this.#buffer.length < bytes) this.#buffer = Buffer.allocUnsafeSlow(bytes)
    const chunk = this.#buffer.subarray(0, bytes)
    let at = HEADER_BYTES
    for (const { partitionKey, data } of records) {
      chunk.writeUInt16LE(partitionKey.length, at)
      chunk.writeUInt32LE(data.length, at + 2)
      at += FRAME_BYTES
      at += chunk.write(partitionKey, at, 'latin1')
      chunk.set(data, at)
      at += data.length
    }
    chunk.writeUInt32LE(bytes, 0)
    chunk.writeUInt32LE(records.length, 4)
    chunk.writeUInt32LE(crc32(chunk.subarray(HEADER_BYTES)), 8)
    await this.#handle.write(chunk, 0, bytes, this.#position)
    await this.#handle.datasync()
    this.#position += bytes
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }
}
