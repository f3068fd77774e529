import { InvalidEventError, InvalidOptionError, type NewEvent, valueAt } from '@eddy/core'
import { defined } from '../http/fields.ts'
import { keyAt } from './event-members.ts'
import type { RecordOptions } from './parsed-record.ts'

/** Any JSON value as the data of an event, its key taken from one of its fields. @throws InvalidEventError */
export function fromRaw(value: unknown, options: RecordOptions): NewEvent {
  if (options.keyField === undefined) {
    throw new InvalidOptionError('key', 'the field that holds the key, since raw=true', undefined)
  }
  return {
    key: keyAt(value, options.keyField),
    data: value,
    ...defined({
      type: options.type,
      explicitHashKey: hashKeyAt(value, options.explicitHashKeyField),
    }),
  }
}

/** Decimal text, or a number that JSON carries exactly. */
function hashKeyAt(value: unknown, path: string | undefined): string | undefined {
  if (path === undefined) return undefined
  const found = valueAt(value, path)
  if (typeof found === 'string' && /^\d{1,39}$/.test(found)) return found
  if (Number.isSafeInteger(found) && (found as number) >= 0) return String(found)
  throw new InvalidEventError(
    `field "${path}" must hold an explicit hash key: the digits of a 128-bit whole number, as text`,
  )
}
