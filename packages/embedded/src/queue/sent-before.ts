/**
 * Deduplication ids that were sent within their window.
 *
 * Ids: queue u32 | 0 | MD5 of the id -> end of the window u64 | message number u64.
 * Ages: queue u32 | 1 | end of the window u64 | MD5 of the id -> one byte, so that the oldest are found first.
 */
import { md5Hex } from '../log/md5-hex.ts'
import type { CommitScope } from '../store/commit-scope.ts'
import type { ByteMap } from '../store/environment.ts'
import { readUint64, writeUint32, writeUint64 } from '../store/key-bytes.ts'

const ID = 0
const AGE = 1
const HASH_BYTES = 16
const NOTHING = Buffer.from([1])
/** More than one, so that the ids of a queue that is used little become fewer again. */
const FORGOTTEN_A_MESSAGE = 4

export class SentBefore {
  readonly #map: ByteMap

  constructor(map: ByteMap) {
    this.#map = map
  }

  /** Inside a commit: the number of the message that was sent under the id, if its window is not over. */
  find(queueNo: number, id: string, nowMs: number): number | undefined {
    const value = this.#map.getBinary(idKey(queueNo, hashOf(id)))
    if (value === undefined || readUint64(value, 0) <= nowMs) return undefined
    return readUint64(value, 8)
  }

  /** Inside a commit: remembers the id, and forgets a few whose window is over. */
  remember(
    scope: CommitScope,
    queueNo: number,
    id: string,
    entry: { readonly no: number; readonly nowMs: number; readonly untilMs: number },
  ): void {
    const { no, nowMs, untilMs } = entry
    this.#forgetSome(scope, queueNo, nowMs)
    const hash = hashOf(id)
    const value = Buffer.allocUnsafe(16)
    writeUint64(value, untilMs, 0)
    writeUint64(value, no, 8)
    scope.put(this.#map, idKey(queueNo, hash), value)
    scope.put(this.#map, ageKey(queueNo, untilMs, hash), NOTHING)
  }

  #forgetSome(scope: CommitScope, queueNo: number, nowMs: number): void {
    const start = ageKey(queueNo, 0, Buffer.alloc(0))
    const end = ageKey(queueNo, nowMs + 1, Buffer.alloc(0))
    const over = [...this.#map.getKeys({ start, end, limit: FORGOTTEN_A_MESSAGE })].map((key) =>
      Buffer.from(key),
    )
    for (const age of over) {
      const hash = age.subarray(age.length - HASH_BYTES)
      const value = this.#map.getBinary(idKey(queueNo, hash))
      // The id may have been used again since, with a later end.
      if (value !== undefined && readUint64(value, 0) <= nowMs) scope.remove(this.#map, idKey(queueNo, hash))
      scope.remove(this.#map, age)
    }
  }
}

function hashOf(id: string): Buffer {
  return Buffer.from(md5Hex(id), 'hex')
}

function idKey(queueNo: number, hash: Buffer): Buffer {
  const key = Buffer.allocUnsafe(5 + HASH_BYTES)
  writeUint32(key, queueNo, 0)
  key[4] = ID
  hash.copy(key, 5)
  return key
}

function ageKey(queueNo: number, untilMs: number, hash: Buffer): Buffer {
  const key = Buffer.allocUnsafe(13 + hash.length)
  writeUint32(key, queueNo, 0)
  key[4] = AGE
  writeUint64(key, untilMs, 5)
  hash.copy(key, 13)
  return key
}
