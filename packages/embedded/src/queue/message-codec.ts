import { readUint64, writeUint32, writeUint64 } from '../store/key-bytes.ts'

/*
 * Key: queue u32 | due epoch ms u64 | message number u64, so that a queue's messages lie in the order they are due.
 * Value: receive count with the highest bit set u32 LE | sent epoch ms u64 | bytes of the group u16 | group | body, texts
 * as UTF-8. Without that bit it is of format 1: receive count u32 LE | body.
 */
const KEY_BYTES = 20
const HAS_HEAD = 0x8000_0000
const HEAD_BYTES = 14
const OLD_HEAD_BYTES = 4

export interface StoredMessage {
  readonly dueMs: number
  readonly no: number
}

/** What is stored of a message beside its key. */
export interface MessageContent {
  readonly receiveCount: number
  /** Undefined for a message of format 1. */
  readonly sentAtMs: number | undefined
  readonly group: string | undefined
  readonly body: string
}

export interface WaitingMessage extends StoredMessage, MessageContent {}

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

export function encodeMessage({ sentAtMs, group, body }: Omit<MessageContent, 'receiveCount'>): Buffer {
  const groupBytes = group === undefined ? 0 : Buffer.byteLength(group)
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + groupBytes + Buffer.byteLength(body))
  bytes.writeUInt32LE(HAS_HEAD, 0)
  writeUint64(bytes, sentAtMs ?? 0, 4)
  bytes.writeUInt16BE(groupBytes, 12)
  if (group !== undefined) bytes.write(group, HEAD_BYTES, 'utf8')
  bytes.write(body, HEAD_BYTES + groupBytes, 'utf8')
  return bytes
}

/** Field by field: every message that is handed out comes through here. */
export function decodeMessage({ dueMs, no }: StoredMessage, value: Buffer): WaitingMessage {
  const first = value.readUInt32LE(0)
  if (first < HAS_HEAD) {
    const body = value.toString('utf8', OLD_HEAD_BYTES)
    return { dueMs, no, receiveCount: first, sentAtMs: undefined, group: undefined, body }
  }
  const bodyAt = HEAD_BYTES + value.readUInt16BE(12)
  return {
    dueMs,
    no,
    receiveCount: first - HAS_HEAD,
    sentAtMs: readUint64(value, 4),
    group: bodyAt === HEAD_BYTES ? undefined : value.toString('utf8', HEAD_BYTES, bodyAt),
    body: value.toString('utf8', bodyAt),
  }
}

/** When a message was sent, of its content as it is stored. */
export function sentAtOf(value: Buffer): number {
  return value.readUInt32LE(0) < HAS_HEAD ? 0 : readUint64(value, 4)
}

/** Writes the count into a value as it is stored. */
export function setReceiveCount(value: Buffer, receiveCount: number): void {
  const head = value.readUInt32LE(0) < HAS_HEAD ? 0 : HAS_HEAD
  value.writeUInt32LE(head + receiveCount, 0)
}

/** Due order; messages due in the same millisecond in the order they were sent. */
export function compareMessages(a: StoredMessage, b: StoredMessage): number {
  return a.dueMs - b.dueMs || a.no - b.no
}
