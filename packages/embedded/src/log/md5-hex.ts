import * as crypto from 'node:crypto'

type OneShotHash = (algorithm: string, data: string, encoding: 'hex') => string

// crypto.hash is three times as fast as createHash, but not in every Node 20.
const oneShotHash = (crypto as { hash?: OneShotHash }).hash

/** MD5 of bytes, 16 bytes. */
export function md5(bytes: Uint8Array): Uint8Array {
  return crypto.createHash('md5').update(bytes).digest()
}

/** MD5 of the text's UTF-8 bytes as 32 lower-case hex digits. */
export const md5Hex: (text: string) => string =
  oneShotHash === undefined
    ? (text) => crypto.createHash('md5').update(text, 'utf8').digest('hex')
    : (text) => oneShotHash('md5', text, 'hex')
