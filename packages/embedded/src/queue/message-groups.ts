/**
 * Groups: of each, the first message lies among the queue's messages, and the others wait here, so that what hands
 * messages out need not know of groups, and a long group costs no memory.
 *
 * Key: queue u32 | MD5 of the group | message number u64. Value: one byte for the group's first message, whose content
 * lies among the messages; the content of one that waits.
 */
import { md5Hex } from '../log/md5-hex.ts'
import { asBuffer } from '../store/as-buffer.ts'
import type { CommitScope } from '../store/commit-scope.ts'
import type { ByteMap } from '../store/environment.ts'
import { afterPrefix, readUint64, uint32Key, writeUint64 } from '../store/key-bytes.ts'
import { messageKey, type StoredMessage, sentAtOf } from './message-codec.ts'

const FIRST = Buffer.from([1])
const PREFIX_BYTES = 20

export class MessageGroups {
  readonly #waiting: ByteMap
  readonly #messages: ByteMap

  constructor(waiting: ByteMap, messages: ByteMap) {
    this.#waiting = waiting
    this.#messages = messages
  }

  /** Inside a commit: true when the message is its group's first, and is to lie among the messages. */
  join(scope: CommitScope, queueNo: number, no: number, group: string, content: Buffer): boolean {
    const prefix = prefixOf(queueNo, group)
    const isFirst = this.#firstOf(prefix) === undefined
    scope.put(this.#waiting, keyOf(prefix, no), isFirst ? FIRST : content)
    return isFirst
  }

  /** Inside a commit: the group's first message is gone. @returns the one that follows it, which now lies among the messages */
  leave(scope: CommitScope, queueNo: number, no: number, group: string): StoredMessage | undefined {
    const prefix = prefixOf(queueNo, group)
    scope.remove(this.#waiting, keyOf(prefix, no))
    const next = this.#firstOf(prefix)
    // After a purge the group may have a first message of its own already.
    if (next === undefined || next.content.length === FIRST.length) return undefined
    const message = { dueMs: sentAtOf(next.content), no: next.no }
    scope.put(this.#waiting, keyOf(prefix, next.no), FIRST)
    scope.put(this.#messages, messageKey(queueNo, message), next.content)
    return message
  }

  /** Inside a commit: removes what waits, at most `limit` entries. */
  removeSome(
    scope: CommitScope,
    queueNo: number,
    from: Buffer | undefined,
    beforeNo: number,
    limit: number,
  ): { readonly removed: number; readonly next: Buffer | undefined } {
    const start = from ?? uint32Key(queueNo)
    const entries = [...this.#waiting.getRange({ start, end: afterPrefix(uint32Key(queueNo)), limit })].map(
      ({ key, value }) => ({ key: Buffer.from(key), isFirst: value.length === FIRST.length }),
    )
    let removed = 0
    for (const { key, isFirst } of entries) {
      if (readUint64(key, PREFIX_BYTES) >= beforeNo) continue
      scope.remove(this.#waiting, key)
      if (!isFirst) removed += 1
    }
    return { removed, next: entries.length === limit ? entries.at(-1)?.key : undefined }
  }

  #firstOf(prefix: Buffer): { readonly no: number; readonly content: Buffer } | undefined {
    for (const { key, value } of this.#waiting.getRange({
      start: prefix,
      end: afterPrefix(prefix),
      limit: 1,
    })) {
      return { no: readUint64(key, PREFIX_BYTES), content: Buffer.from(asBuffer(value)) }
    }
    return undefined
  }
}

function prefixOf(queueNo: number, group: string): Buffer {
  return Buffer.concat([uint32Key(queueNo), Buffer.from(md5Hex(group), 'hex')])
}

function keyOf(prefix: Buffer, no: number): Buffer {
  const key = Buffer.allocUnsafe(PREFIX_BYTES + 8)
  prefix.copy(key)
  writeUint64(key, no, PREFIX_BYTES)
  return key
}
