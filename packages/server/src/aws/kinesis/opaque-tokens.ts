import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Table } from '@eddy/core'

const KEY = { partition: 'aws/kinesis/secret', sort: 'tokens' }
const MAC_BYTES = 16
const SECRET_BYTES = 32

/**
 * Iterators and pagination tokens: what they stand for, and a code that only this data directory can make, so that
 * whatever was not handed out here is known as garbage. The secret is stored: iterators survive a restart.
 */
export class OpaqueTokens {
  readonly #secret: Buffer

  constructor(secret: Buffer) {
    this.#secret = secret
  }

  static async open(table: Table): Promise<OpaqueTokens> {
    const stored = await table.get<string>(KEY)
    if (stored !== undefined) return new OpaqueTokens(Buffer.from(stored.value, 'base64'))
    const secret = randomBytes(SECRET_BYTES)
    const written = await table.put<string>({ ...KEY, value: secret.toString('base64') }, 'absent')
    if (written.ok) return new OpaqueTokens(secret)
    return new OpaqueTokens(Buffer.from(String(written.current?.value), 'base64'))
  }

  /** @param kind - a token of one kind is garbage as another */
  seal(kind: string, content: unknown): string {
    const payload = Buffer.from(JSON.stringify(content))
    return Buffer.concat([this.#mac(kind, payload), payload]).toString('base64')
  }

  /** Undefined for what `seal` did not make. */
  open(kind: string, token: string): unknown {
    const bytes = Buffer.from(token, 'base64')
    if (bytes.length <= MAC_BYTES || bytes.toString('base64') !== token) return undefined
    const payload = bytes.subarray(MAC_BYTES)
    if (!timingSafeEqual(this.#mac(kind, payload), bytes.subarray(0, MAC_BYTES))) return undefined
    return JSON.parse(payload.toString('utf8'))
  }

  #mac(kind: string, payload: Buffer): Buffer {
    return createHmac('sha256', this.#secret)
      .update(`${kind}\0`)
      .update(payload)
      .digest()
      .subarray(0, MAC_BYTES)
  }
}
