import { randomUUID } from 'node:crypto'
import type { Blobs } from '@eddy/core'
import { WEEKS_PREFIX, YEAR_PREFIX } from '../resources/blob-prefixes.ts'
import { isPlainText, type MessageHeader, type WireMessage, writeMessage } from './message-format.ts'

export interface PlacedMessage {
  readonly text: string
  readonly header: MessageHeader
  readonly blob: string | undefined
}

export interface Placing {
  readonly blobs: Blobs
  /** Of the whole text, in bytes of UTF-8. */
  readonly maxTextBytes: number
  /** It waits elsewhere than in the queue, for up to a year. */
  readonly isLong: boolean
}

/** A message as it is sent: its body as it is, in base64, or by reference. @throws what the blobs throw */
export async function placeBody(
  header: Omit<MessageHeader, 'as'>,
  body: string,
  { blobs, maxTextBytes, isLong }: Placing,
): Promise<PlacedMessage> {
  const small =
    body !== '' && isPlainText(body)
      ? written({ header: { ...header, as: 'text' }, content: body })
      : written({ header: { ...header, as: 'base64' }, content: Buffer.from(body).toString('base64') })
  if (Buffer.byteLength(small.text) <= maxTextBytes) return small
  // Of this copy alone: what is done with one does not take the body of another.
  const blob = `${isLong ? YEAR_PREFIX : WEEKS_PREFIX}${randomUUID()}`
  await blobs.put(blob, Buffer.from(body))
  return { ...written({ header: { ...header, as: 'blob' }, content: blob }), blob }
}

/** @returns undefined when it lies in a blob that is no more. @throws what the blobs throw */
export async function readBody({ header, content }: WireMessage, blobs: Blobs): Promise<string | undefined> {
  switch (header.as) {
    case 'text':
      return content
    case 'base64':
      return Buffer.from(content, 'base64').toString('utf8')
    case 'blob': {
      const stored = await blobs.get(content)
      if (stored === undefined) return undefined
      const chunks: Uint8Array[] = []
      for await (const chunk of stored) chunks.push(chunk)
      return Buffer.concat(chunks).toString('utf8')
    }
  }
}

function written(message: WireMessage): PlacedMessage {
  return { text: writeMessage(message), header: message.header, blob: undefined }
}
