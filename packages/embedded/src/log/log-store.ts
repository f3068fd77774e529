import type { ByteMap, Environment } from '../store/environment.ts'
import type { GroupCommitter } from '../store/group-commit.ts'
import { readUint64, writeUint32, writeUint64 } from '../store/key-bytes.ts'

/** Where the records of streams of one durability lie. */
export interface LogStore {
  readonly committer: GroupCommitter
  /** [stream u32, shard u32, first sequence u64] -> chunk. */
  readonly chunks: ByteMap
  /** [stream u32, shard u32] -> what retention removed (shard-state.ts). */
  readonly trims: ByteMap
  /** [stream u32, producer id, 0, block u64, first producer sequence u64] -> packed run (producer-runs.ts). */
  readonly producerRuns: ByteMap
  /** [epoch ms u64, counter u64] -> the keys of the runs of one commit, oldest first: what pruning walks. */
  readonly producerRunAges: ByteMap
  /**
   * No shard goes on below it. After a power cut the last records of a store that does not flush may be gone though
   * readers saw them; their numbers must not be given out again, or a checkpoint would pass over new records (I2).
   */
  readonly sequenceFloor: number
}

export function openLogStore(
  environment: Environment,
  committer: GroupCommitter,
  sequenceFloor: number,
): LogStore {
  return {
    committer,
    chunks: environment.openMap('chunks'),
    trims: environment.openMap('trims'),
    producerRuns: environment.openMap('producer-runs'),
    producerRunAges: environment.openMap('producer-run-ages'),
    sequenceFloor,
  }
}

export const CHUNK_KEY_BYTES = 16

export function chunkKey(streamNo: number, shardNo: number, sequence: number): Buffer {
  const key = Buffer.allocUnsafe(CHUNK_KEY_BYTES)
  writeUint32(key, streamNo, 0)
  writeUint32(key, shardNo, 4)
  writeUint64(key, sequence, 8)
  return key
}

export function sequenceOfChunkKey(key: Uint8Array): number {
  return readUint64(key, 8)
}

export function shardKey(streamNo: number, shardNo: number): Buffer {
  const key = Buffer.allocUnsafe(8)
  writeUint32(key, streamNo, 0)
  writeUint32(key, shardNo, 4)
  return key
}
