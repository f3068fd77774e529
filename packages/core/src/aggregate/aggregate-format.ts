/**
 * The format of the Kinesis Producer Library: many user records in one record of the stream.
 *
 * `F3 89 9A C2`, a protobuf message, the MD5 of that message:
 *
 *     AggregatedRecord { repeated string partition_key_table = 1; repeated string explicit_hash_key_table = 2;
 *                        repeated Record records = 3 }
 *     Record { uint64 partition_key_index = 1; optional uint64 explicit_hash_key_index = 2; bytes data = 3;
 *              repeated Tag tags = 4 }
 *     Tag { string key = 1; optional string value = 2 }
 */
export const MAGIC: readonly number[] = [0xf3, 0x89, 0x9a, 0xc2]
export const MD5_BYTES = 16
/** Beside the message. */
export const FRAME_BYTES: number = MAGIC.length + MD5_BYTES

/** User records of one aggregate (I6). One MiB of the smallest there are holds 175,000. */
export const MAX_USER_RECORDS = 1_000_000

export interface Tag {
  readonly key: string
  readonly value?: string
}

/** True for bytes that begin like an aggregate and are long enough for one. */
export function beginsAggregate(bytes: Uint8Array): boolean {
  // No text in UTF-8 and no JSON begins so: for all other records this is one look.
  return (
    bytes[0] === MAGIC[0] &&
    bytes[1] === MAGIC[1] &&
    bytes[2] === MAGIC[2] &&
    bytes[3] === MAGIC[3] &&
    bytes.length > FRAME_BYTES
  )
}
