import { createHash } from 'node:crypto'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A partition key has at most this many characters. */
const MAX_KEY_CHARACTERS = 256

/** A path as an event carries it. */
export interface PathText {
  /** The partition key: the path itself, or a stand-in for one that cannot be a key. */
  readonly path: string
  /** The path's exact bytes, where `path` is a stand-in. */
  readonly pathBase64?: string
}

/**
 * Turns the bytes of a path in a repository into text, losslessly.
 *
 * Git's paths are bytes; JSON and partition keys are text. A path that is UTF-8 and at most 256 characters long stands
 * for itself. Any other becomes `//` and the SHA-256 of its bytes, with the bytes beside it: no path in a repository
 * contains `//`, so a stand-in is never taken for a path.
 */
export function pathText(bytes: Uint8Array): PathText {
  const text = decode(bytes)
  if (text !== undefined && text.length <= MAX_KEY_CHARACTERS) return { path: text }
  return {
    path: `//${createHash('sha256').update(bytes).digest('hex')}`,
    pathBase64: Buffer.from(bytes).toString('base64'),
  }
}

/**
 * Turns `Name <address>` into text, losslessly: bytes that are not UTF-8 become `<base64 …>`, which no author can be,
 * since Git takes `<` out of names.
 */
export function authorText(bytes: Uint8Array): string {
  return decode(bytes) ?? `<base64 ${Buffer.from(bytes).toString('base64')}>`
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}
