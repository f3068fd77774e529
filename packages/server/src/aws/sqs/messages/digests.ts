import { createHash } from 'node:crypto'
import type { StoredAttribute } from '../store/stored.ts'

const TEXT_VALUE = 1
const BINARY_VALUE = 2

export function md5OfText(text: string): string {
  return createHash('md5').update(text).digest('hex')
}

/** What `ContentBasedDeduplication` recognises a message by: its body alone. */
export function sha256OfText(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/**
 * MD5 of message attributes, as clients compute it to verify ours: by name, each part behind its length as four bytes,
 * and a byte before the value that says which kind it is. Undefined without attributes.
 */
export function md5OfAttributes(attributes: readonly StoredAttribute[]): string | undefined {
  if (attributes.length === 0) return undefined
  const hash = createHash('md5')
  const part = (value: string | Uint8Array): void => {
    const bytes = typeof value === 'string' ? Buffer.from(value) : value
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    hash.update(length).update(bytes)
  }
  for (const { name, type, value } of [...attributes].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    part(name)
    part(type)
    hash.update(Buffer.from([typeof value === 'string' ? TEXT_VALUE : BINARY_VALUE]))
    part(value)
  }
  return hash.digest('hex')
}
