import { AwsError } from '../../aws-error.ts'

/** All but #x9 | #xA | #xD | [#x20 to #xD7FF] | [#xE000 to #xFFFD] | [#x10000 to #x10FFFF]; half a surrogate pair too. */
const FORBIDDEN = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u

export function hasForbiddenCharacter(text: string): boolean {
  return FORBIDDEN.test(text)
}

/** @throws AwsError if the body has a character that XML 1.0 has no place for */
export function checkCharacters(text: string): void {
  if (!hasForbiddenCharacter(text)) return
  throw new AwsError(
    'InvalidMessageContents',
    'Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF',
  )
}
