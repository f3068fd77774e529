import { readUint64, writeUint32, writeUint64 } from '../store/key-bytes.ts'

/*
 * Key: queue u32 | due epoch ms u64 | message number u64, so that a queue's messages lie in the order they are due.
 * Value: u32 receive count | body as UTF-8.
 */
const KEY_BYTES = 20
const HEAD_BYTES = 4

export interface StoredMessage {
  readonly dueMs: number
  readonly no: number
}

export interface WaitingMessage extends StoredMessage {
  readonly receiveCount: number
  readonly body: string
}

export function messageKey(queueNo: number, { dueMs, no }: StoredMessage): Buffer {
  const key = Buffer.allocUnsafe(KEY_BYTES)
  writeUint32(key, queueNo, 0)
  writeUint64(key, dueMs, 4)
  writeUint64(key, no, 12)
  return key
}

export function parseMessageKey(key: Uint8Array): StoredMessage {
  return { dueMs: readUint64(key, 4), no: readUint64(key, 12) }
}

export function encodeMessage(receiveCount: number, body: string): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + Buffer.byteLength(body))
  bytes.writeUInt32LE(receiveCount, 0)
  bytes.write(body, HEAD_BYTES, 'utf8')
  return bytes
}

export function decodeMessage(value: Buffer): { receiveCount: number; body: string } {
  return { receiveCount: value.readUInt32LE(0), body: value.toString('utf8', HEAD_BYTES) }
}

/** Due order; messages due in the same millisecond in the order they were sent. */
export function compareMessages(a: StoredMessage, b: StoredMessage): number {
  return a.dueMs - b.dueMs || a.no - b.no
}
