import { readUint64, writeUint32, writeUint64 } from '../store/key-bytes.ts'

/*
 * Where the records of one producer went, for those of one commit whose producer sequences lie in one block of 1,024:
 *   f64 epoch ms | u16 shards | u16 entries | shards: u32 number, f64 lowest sequence number
 *   entries: u16 offset in the block | u16 index of the shard | u32 sequence number above the shard's lowest
 */
export const BLOCK_SEQUENCES = 1_024
const HEAD_BYTES = 12
const SHARD_BYTES = 12
const ENTRY_BYTES = 8

export interface StoredAt {
  readonly shardNo: number
  readonly sequence: number
}

/** What one commit stores of a producer's block. */
export class ProducerRun {
  readonly producerSequences: number[] = []
  readonly stored: StoredAt[] = []

  add(producerSequence: number, stored: StoredAt): void {
    this.producerSequences.push(producerSequence)
    this.stored.push(stored)
  }

  find(producerSequence: number): StoredAt | undefined {
    const index = this.producerSequences.indexOf(producerSequence)
    return index < 0 ? undefined : this.stored[index]
  }
}

export function blockOf(producerSequence: number): number {
  return Math.floor(producerSequence / BLOCK_SEQUENCES)
}

export function encodeRun(run: ProducerRun, atMs: number): Buffer {
  const lowest = new Map<number, number>()
  for (const { shardNo, sequence } of run.stored) {
    lowest.set(shardNo, Math.min(sequence, lowest.get(shardNo) ?? sequence))
  }
  const shardIndex = new Map([...lowest.keys()].map((shardNo, index) => [shardNo, index]))
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + lowest.size * SHARD_BYTES + run.stored.length * ENTRY_BYTES)
  bytes.writeDoubleLE(atMs, 0)
  bytes.writeUInt16LE(lowest.size, 8)
  bytes.writeUInt16LE(run.stored.length, 10)
  let at = HEAD_BYTES
  for (const [shardNo, sequence] of lowest) {
    bytes.writeUInt32LE(shardNo, at)
    bytes.writeDoubleLE(sequence, at + 4)
    at += SHARD_BYTES
  }
  run.stored.forEach(({ shardNo, sequence }, i) => {
    bytes.writeUInt16LE((run.producerSequences[i] as number) % BLOCK_SEQUENCES, at)
    bytes.writeUInt16LE(shardIndex.get(shardNo) as number, at + 2)
    bytes.writeUInt32LE(sequence - (lowest.get(shardNo) as number), at + 4)
    at += ENTRY_BYTES
  })
  return bytes
}

export function runAtMs(bytes: Buffer): number {
  return bytes.readDoubleLE(0)
}

export function findInRun(bytes: Buffer, producerSequence: number): StoredAt | undefined {
  const offset = producerSequence % BLOCK_SEQUENCES
  const shards = bytes.readUInt16LE(8)
  const entries = bytes.readUInt16LE(10)
  const firstEntry = HEAD_BYTES + shards * SHARD_BYTES
  for (let i = 0; i < entries; i++) {
    const at = firstEntry + i * ENTRY_BYTES
    if (bytes.readUInt16LE(at) !== offset) continue
    const shardAt = HEAD_BYTES + bytes.readUInt16LE(at + 2) * SHARD_BYTES
    return {
      shardNo: bytes.readUInt32LE(shardAt),
      sequence: bytes.readDoubleLE(shardAt + 4) + bytes.readUInt32LE(at + 4),
    }
  }
  return undefined
}

/** Of the run's sequences, from the start of their block. */
export function offsetsOf(bytes: Buffer): number[] {
  const entries = bytes.readUInt16LE(10)
  const firstEntry = HEAD_BYTES + bytes.readUInt16LE(8) * SHARD_BYTES
  return Array.from({ length: entries }, (_, i) => bytes.readUInt16LE(firstEntry + i * ENTRY_BYTES))
}

/** The highest offset in the block. */
export function highestOffset(bytes: Buffer): number {
  return Math.max(0, ...offsetsOf(bytes))
}

export function producerPrefix(streamNo: number, producerId: string): Buffer {
  const id = Buffer.from(producerId, 'utf8')
  const prefix = Buffer.alloc(5 + id.length)
  writeUint32(prefix, streamNo, 0)
  prefix.set(id, 4)
  return prefix
}

export function runKey(prefix: Buffer, block: number, firstProducerSequence: number): Buffer {
  const key = Buffer.allocUnsafe(prefix.length + 16)
  key.set(prefix, 0)
  writeUint64(key, block, prefix.length)
  writeUint64(key, firstProducerSequence, prefix.length + 8)
  return key
}

export function blockOfRunKey(key: Uint8Array): number {
  return readUint64(key, key.length - 16)
}
