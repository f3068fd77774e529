import { AwsError } from '../aws-error.ts'

const WRONG_CHARACTER = /[^A-Za-z0-9+/=]|=[^=]/

/**
 * Bytes of a base64 text with its padding; nothing else is taken for base64.
 *
 * @throws AwsError SerializationException, in the words of the service
 */
export function decodeBase64(text: string): Uint8Array {
  if (text.length % 4 !== 0)
    throw refusal(text, `Base64 encoded length is expected a multiple of 4 bytes but found: ${text.length}`)
  // As plain bytes rather than a Buffer, which prints and compares in its own way.
  const buffer = Buffer.from(text, 'base64')
  // Node skips what it does not know, so that the length tells; only then is the culprit looked for.
  const paddingLength = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  if (buffer.length !== (text.length / 4) * 3 - paddingLength || hasOtherAlphabet(text)) {
    const [wrong = '='] = WRONG_CHARACTER.exec(text)?.[0] ?? ''
    throw refusal(text, `Invalid Base64 character: '${wrong}'`)
  }
  if (paddingLength > 0 && buffer.toString('base64').at(-paddingLength - 1) !== text.at(-paddingLength - 1))
    // The spelling is the service's.
    throw refusal(text, 'Invalid last non-pad Base64 character dectected')
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length)
}

/** Node takes the characters of base64url too. */
function hasOtherAlphabet(text: string): boolean {
  return text.includes('-') || text.includes('_')
}

function refusal(text: string, reason: string): AwsError {
  const shown = text.length <= 100 ? text : `${text.slice(0, 100)}...`
  return new AwsError('SerializationException', `'${shown}' can not be converted to a Blob: ${reason}`)
}
