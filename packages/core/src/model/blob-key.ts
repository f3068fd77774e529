import { InvalidOptionError } from '../errors/request-errors.ts'

const MAX_CHARACTERS = 512
const PART = /^[a-zA-Z0-9_.=-]+$/

/**
 * The parts of a blob's key. None is `.` or `..`, so a key never leads out of a folder.
 *
 * @throws InvalidOptionError
 */
export function blobKeyParts(key: string): readonly string[] {
  const parts = typeof key === 'string' && key.length <= MAX_CHARACTERS ? key.split('/') : []
  if (parts.length > 0 && parts.every((part) => PART.test(part) && part !== '.' && part !== '..'))
    return parts
  throw new InvalidOptionError(
    'blob key',
    `up to ${MAX_CHARACTERS} characters of a-zA-Z0-9_.=- in parts joined by /, none of them "." or ".."`,
    key,
  )
}
