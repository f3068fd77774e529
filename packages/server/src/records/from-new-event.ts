import { InvalidEventError, type NewEvent } from '@eddy/core'
import { defined, type Fields } from '../http/fields.ts'
import { isObject } from '../http/json-body.ts'
import { eventKey, extensionValues, optionalText } from './event-members.ts'

const MEMBERS = [
  'key',
  'data',
  'type',
  'id',
  'source',
  'subject',
  'time',
  'dataschema',
  'extensions',
  'explicitHashKey',
]

const FORMS = '{"key", "data", …}, a CloudEvents envelope, or plain JSON with ?raw=true&key=FIELD'

/**
 * `{key, data, type?, id?, …}` as an event.
 * @param forms - what may be sent instead, for the message of the error
 * @throws InvalidEventError
 */
export function fromNewEvent(value: Fields, keyField: string | undefined, forms: string = FORMS): NewEvent {
  const unknown = Object.keys(value).find((name) => !MEMBERS.includes(name))
  if (unknown !== undefined || value.data === undefined) {
    throw new InvalidEventError(
      `${unknown === undefined ? '"data" is missing' : `member ${JSON.stringify(unknown.slice(0, 80))} is not known`}. Send ${forms}`,
    )
  }
  return {
    key: eventKey(value, 'key', keyField),
    data: value.data,
    ...defined({
      type: optionalText(value, 'type'),
      id: optionalText(value, 'id'),
      source: optionalText(value, 'source'),
      subject: optionalText(value, 'subject'),
      time: optionalText(value, 'time'),
      dataschema: optionalText(value, 'dataschema'),
      extensions: extensionsOf(value.extensions),
      explicitHashKey: optionalText(value, 'explicitHashKey'),
    }),
  }
}

function extensionsOf(extensions: unknown): Readonly<Record<string, string | number | boolean>> | undefined {
  if (extensions === undefined) return undefined
  if (!isObject(extensions)) throw new InvalidEventError('"extensions" must be an object')
  return extensionValues(extensions)
}
