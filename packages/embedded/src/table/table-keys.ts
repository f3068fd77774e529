import { InvalidOptionError } from '@eddy/core'
import { md5Hex } from '../log/md5-hex.ts'
import { writeUint64 } from '../store/key-bytes.ts'

/*
 * Item:   partition (escaped) 00 00 | sort
 * Index:  index partition (escaped) 00 00 | index sort (escaped) 00 00 | item key, or FF + its MD5 where it is too long
 * Expiry: epoch ms u64 | item key
 * All texts as UTF-8. A zero byte is escaped as 00 FF, so that the terminator sorts before every longer text.
 */
const MAX_LMDB_KEY_BYTES = 1_978
const EXPIRY_HEAD_BYTES = 8
const MAX_ITEM_KEY_BYTES = MAX_LMDB_KEY_BYTES - EXPIRY_HEAD_BYTES
const MAX_SORT_BYTES = 1_024
const MD5_TAIL_BYTES = 17
const TERMINATOR = Buffer.from([0, 0])

/** What all items of a partition start with. */
export function partitionPrefix(option: string, partition: string): Buffer {
  if (typeof partition !== 'string' || partition === '') {
    throw new InvalidOptionError(option, 'a text that is not empty', partition)
  }
  return Buffer.concat([escapeZero(partition), TERMINATOR])
}

/** @throws InvalidOptionError when partition and sort key are too long together */
export function itemKey(partition: string, sort: string): Buffer {
  const key = Buffer.concat([partitionPrefix('partition', partition), sortBytes('sort', sort)])
  if (key.length > MAX_ITEM_KEY_BYTES) {
    throw new InvalidOptionError(
      'partition and sort',
      `at most ${MAX_ITEM_KEY_BYTES - 2} bytes of UTF-8 together`,
      `${key.length - 2} bytes`,
    )
  }
  return key
}

export function indexKey(partition: string, sort: string, item: Buffer): Buffer {
  sortBytes('index.sort', sort)
  const head = Buffer.concat([partitionPrefix('index.partition', partition), escapeZero(sort), TERMINATOR])
  if (head.length + MD5_TAIL_BYTES > MAX_LMDB_KEY_BYTES) {
    throw new InvalidOptionError(
      'index.partition and index.sort',
      `at most ${MAX_LMDB_KEY_BYTES - MD5_TAIL_BYTES - 4} bytes of UTF-8 together`,
      `${head.length - 4} bytes`,
    )
  }
  if (head.length + item.length <= MAX_LMDB_KEY_BYTES) return Buffer.concat([head, item])
  const hash = Buffer.from(md5Hex(item.toString('latin1')), 'hex')
  return Buffer.concat([head, Buffer.from([255]), hash])
}

export function expiryKey(expiresAtMs: number, item: Buffer): Buffer {
  const key = Buffer.allocUnsafe(EXPIRY_HEAD_BYTES + item.length)
  writeUint64(key, Math.max(0, Math.floor(expiresAtMs)), 0)
  key.set(item, EXPIRY_HEAD_BYTES)
  return key
}

export function itemOfExpiryKey(key: Buffer): Buffer {
  return key.subarray(EXPIRY_HEAD_BYTES)
}

/** Where sort key `sort` starts in a partition's keys; the bound of a range query. */
export function sortBound(prefix: Buffer, sort: string, byIndex: boolean): Buffer {
  return Buffer.concat([prefix, byIndex ? escapeZero(sort) : Buffer.from(sort, 'utf8')])
}

/** The end of the keys with this very sort key, exclusive. */
export function afterSortBound(prefix: Buffer, sort: string, byIndex: boolean): Buffer {
  const tail = byIndex ? [0, 1] : [0]
  return Buffer.concat([sortBound(prefix, sort, byIndex), Buffer.from(tail)])
}

/** Partition and sort key of an item's key. */
export function parseItemKey(key: Buffer): { partition: string; sort: string } {
  let at = 0
  let hasEscape = false
  while (!(key[at] === 0 && key[at + 1] === 0)) {
    if (key[at] === 0) {
      hasEscape = true
      at++
    }
    at++
  }
  const partition = key.toString('utf8', 0, at)
  return {
    partition: hasEscape ? unescapeZero(key.subarray(0, at)) : partition,
    sort: key.toString('utf8', at + 2),
  }
}

function sortBytes(option: string, sort: string): Buffer {
  const bytes = Buffer.from(sort, 'utf8')
  if (bytes.length > MAX_SORT_BYTES) {
    throw new InvalidOptionError(option, `at most ${MAX_SORT_BYTES} bytes of UTF-8`, `${bytes.length} bytes`)
  }
  return bytes
}

function escapeZero(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8')
  if (!bytes.includes(0)) return bytes
  return Buffer.from([...bytes].flatMap((byte) => (byte === 0 ? [0, 255] : [byte])))
}

function unescapeZero(bytes: Buffer): string {
  const plain: number[] = []
  for (let i = 0; i < bytes.length; i++) {
    plain.push(bytes[i] as number)
    if (bytes[i] === 0) i++
  }
  return Buffer.from(plain).toString('utf8')
}
