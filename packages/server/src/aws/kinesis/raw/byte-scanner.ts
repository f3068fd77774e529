const QUOTE = 0x22
const BACKSLASH = 0x5c
const SPACE = 0x20
const TILDE = 0x7e
const EQUALS = 0x3d

/** Reads plain JSON from bytes, without making a text of them. What it does not know it leaves, and says undefined. */
export class ByteScanner {
  readonly #body: Buffer
  #at = 0
  /** Where decoded bytes go: all base64 of the body is longer than they are. Made when there is some. */
  #decoded: Buffer | undefined
  #decodedBytes = 0

  constructor(body: Buffer) {
    this.#body = body
  }

  /** Takes the character, past white space before it. */
  takes(character: '{' | '}' | '[' | ']' | ':' | ','): boolean {
    this.#skipSpace()
    if (this.#body[this.#at] !== character.charCodeAt(0)) return false
    this.#at += 1
    return true
  }

  /** Takes the name of a member and its colon, when it is this one: compared where it lies. */
  takesName(quoted: Uint8Array): boolean {
    this.#skipSpace()
    const body = this.#body
    const at = this.#at
    for (let i = 0; i < quoted.length; i++) if (body[at + i] !== quoted[i]) return false
    this.#at = at + quoted.length
    return this.takes(':')
  }

  /** True when nothing but white space is left. */
  get isAtEnd(): boolean {
    this.#skipSpace()
    return this.#at === this.#body.length
  }

  /** A string of printable ASCII without escapes. */
  plainString(): string | undefined {
    const start = this.#openQuote()
    const end = start < 0 ? -1 : this.#body.indexOf(QUOTE, start)
    if (end < 0) return undefined
    for (let i = start; i < end; i++) {
      const byte = this.#body[i] as number
      if (byte < SPACE || byte > TILDE || byte === BACKSLASH) return undefined
    }
    this.#at = end + 1
    return this.#body.toString('latin1', start, end)
  }

  /** A string of base64 with its padding, and nothing else in it. */
  base64(): Uint8Array | undefined {
    const body = this.#body
    const start = this.#openQuote()
    const end = start < 0 ? -1 : body.indexOf(QUOTE, start)
    const characters = end - start
    if (end < 0 || characters % 4 !== 0) return undefined
    const padding = body[end - 1] !== EQUALS ? 0 : body[end - 2] !== EQUALS ? 1 : 2
    if (characters === 0) {
      this.#at = end + 1
      return new Uint8Array(0)
    }
    const text = body.toString('latin1', start, end)
    // Node takes these for the two characters of base64 that they stand for in URLs.
    if (text.includes('-') || text.includes('_')) return undefined
    if (padding > 0 && !isCanonical(text, padding)) return undefined
    this.#decoded ??= Buffer.allocUnsafe((body.length >> 2) * 3)
    const from = this.#decodedBytes
    const bytes = this.#decoded.write(text, from, 'base64')
    // It skips what it does not know, and stops at padding: then there are fewer.
    if (bytes !== (characters / 4) * 3 - padding || (text.indexOf('=') < characters - padding && padding > 0))
      return undefined
    this.#decodedBytes += bytes
    this.#at = end + 1
    return new Uint8Array(this.#decoded.buffer, this.#decoded.byteOffset + from, bytes)
  }

  #openQuote(): number {
    this.#skipSpace()
    return this.#body[this.#at] === QUOTE ? this.#at + 1 : -1
  }

  #skipSpace(): void {
    for (;;) {
      const byte = this.#body[this.#at]
      if (byte !== SPACE && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return
      this.#at += 1
    }
  }
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** The last character holds bits that are nobody's: they must be 0. */
function isCanonical(text: string, padding: number): boolean {
  const last = ALPHABET.indexOf(text[text.length - padding - 1] as string)
  return last >= 0 && (padding === 1 ? last % 4 === 0 : last % 16 === 0)
}
