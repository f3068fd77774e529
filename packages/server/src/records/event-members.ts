import { InvalidEventError, valueAt } from '@eddy/core'
import type { Fields } from '../http/fields.ts'

const MAX_KEY_CHARACTERS = 256

/** A text member of an event; undefined when it is absent. @throws InvalidEventError */
export function optionalText(value: Fields, name: string): string | undefined {
  const member = value[name]
  if (member === undefined) return undefined
  if (typeof member !== 'string' || member === '') throw new InvalidEventError(`"${name}" must be text`)
  return member
}

/** The key a member states, else the one at the path that the request names. @throws InvalidEventError */
export function eventKey(value: Fields, member: string, keyField: string | undefined): string {
  if (value[member] !== undefined) return checkedKey(value[member], `"${member}"`)
  if (keyField !== undefined) return keyAt(value, keyField)
  throw new InvalidEventError(
    `"${member}" is missing. State the key there, or name its field with ?key=FIELD`,
  )
}

/** The key at a dot path: text, or a number or boolean as its text. @throws InvalidEventError */
export function keyAt(value: unknown, path: string): string {
  const found = valueAt(value, path)
  if (found === undefined) throw new InvalidEventError(`it has no field "${path}" to take the key from`)
  return checkedKey(
    typeof found === 'number' || typeof found === 'boolean' ? String(found) : found,
    `field "${path}"`,
  )
}

function checkedKey(key: unknown, where: string): string {
  if (typeof key !== 'string' || key === '' || key.length > MAX_KEY_CHARACTERS) {
    throw new InvalidEventError(`the key in ${where} must be text of 1 to ${MAX_KEY_CHARACTERS} characters`)
  }
  return key
}

/** CloudEvents extension attributes, by name. @throws InvalidEventError */
export function extensionValues(value: Fields): Readonly<Record<string, string | number | boolean>> {
  for (const [name, member] of Object.entries(value)) {
    if (typeof member !== 'string' && typeof member !== 'number' && typeof member !== 'boolean') {
      throw new InvalidEventError(`extension "${name}" must be text, a number or a boolean`)
    }
  }
  return value as Readonly<Record<string, string | number | boolean>>
}
