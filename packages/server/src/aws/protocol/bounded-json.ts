import { AwsError } from '../aws-error.ts'

/**
 * Commas and brackets of one document (I6). A PutRecords of 500 records has about 3,000; a document of nothing but
 * brackets would take a gigabyte and seconds of everybody's time.
 */
export const MAX_JSON_PARTS = 50_000

const QUOTE = 0x22
const BACKSLASH = 0x5c
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** @throws AwsError SerializationException for what is not JSON, not UTF-8, or has too many parts */
export function parseBoundedJson(body: Uint8Array): unknown {
  if (hasTooManyParts(body)) throw new AwsError('SerializationException', '')
  try {
    return JSON.parse(utf8.decode(body))
  } catch {
    throw new AwsError('SerializationException', '')
  }
}

function hasTooManyParts(body: Uint8Array): boolean {
  if (body.length <= MAX_JSON_PARTS) return false
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length)
  let parts = 0
  for (let at = 0; at < bytes.length; ) {
    const quote = bytes.indexOf(QUOTE, at)
    const end = quote < 0 ? bytes.length : quote
    for (; at < end; at += 1) if (isPart(bytes[at])) parts += 1
    if (parts > MAX_JSON_PARTS) return true
    at = quote < 0 ? end : endOfString(bytes, quote + 1)
  }
  return false
}

/** Where a string that begins at `from` is over: after its closing quote, or at the end of what there is. */
function endOfString(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(QUOTE, from); at >= 0; at = bytes.indexOf(QUOTE, at + 1)) {
    let backslashes = 0
    while (at - 1 - backslashes >= from && bytes[at - 1 - backslashes] === BACKSLASH) backslashes += 1
    if (backslashes % 2 === 0) return at + 1
  }
  return bytes.length
}

/** `,` `[` `{`: each begins something. */
function isPart(byte: number | undefined): boolean {
  return byte === 0x2c || byte === 0x5b || byte === 0x7b
}
