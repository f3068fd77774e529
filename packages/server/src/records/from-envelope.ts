import { InvalidEventError, type NewEvent } from '@eddy/core'
import { defined, type Fields } from '../http/fields.ts'
import { eventKey, extensionValues, optionalText } from './event-members.ts'

const NAMED = new Set([
  'specversion',
  'id',
  'source',
  'type',
  'subject',
  'time',
  'datacontenttype',
  'dataschema',
  'data',
  'partitionkey',
])

/** A CloudEvents 1.0 envelope in structured JSON mode as an event. @throws InvalidEventError */
export function fromEnvelope(envelope: Fields, keyField: string | undefined): NewEvent {
  if (envelope.specversion !== '1.0') throw new InvalidEventError('"specversion" must be "1.0"')
  for (const name of ['id', 'source', 'type']) {
    if (optionalText(envelope, name) === undefined) throw new InvalidEventError(`"${name}" is missing`)
  }
  requireJsonData(envelope)
  return {
    key: eventKey(envelope, 'partitionkey', keyField),
    data: envelope.data ?? null,
    ...defined({
      id: optionalText(envelope, 'id'),
      source: optionalText(envelope, 'source'),
      type: optionalText(envelope, 'type'),
      subject: optionalText(envelope, 'subject'),
      time: optionalText(envelope, 'time'),
      dataschema: optionalText(envelope, 'dataschema'),
      extensions: extensionsOf(envelope),
    }),
  }
}

function requireJsonData(envelope: Fields): void {
  if (Object.hasOwn(envelope, 'data_base64')) {
    throw new InvalidEventError('"data_base64" is not supported: put JSON in "data"')
  }
  const contentType = optionalText(envelope, 'datacontenttype')
  if (contentType !== undefined && !/^[\w.+-]+\/([\w.+-]+\+)?json\s*(;|$)/i.test(contentType)) {
    throw new InvalidEventError('"datacontenttype" must be a JSON type, such as application/json')
  }
}

function extensionsOf(envelope: Fields): Readonly<Record<string, string | number | boolean>> | undefined {
  // Without a prototype: an attribute may have any name, and is refused later if it must not.
  const others: Record<string, unknown> = Object.create(null)
  let count = 0
  for (const name of Object.keys(envelope)) {
    if (NAMED.has(name) || envelope[name] === null) continue
    others[name] = envelope[name]
    count += 1
  }
  return count === 0 ? undefined : extensionValues(others)
}
