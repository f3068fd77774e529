import { InvalidEventError, type NewEvent } from '@eddy/core'
import { defined, type Fields } from '../http/fields.ts'
import { isObject } from '../http/json-body.ts'
import { optionalText } from './event-members.ts'
import { fromEnvelope } from './from-envelope.ts'

/**
 * `{event, explicitHashKey?}`: a CloudEvents envelope, whose members are the event's own, and beside it where it goes.
 * @throws InvalidEventError
 */
export function fromPlaced(value: Fields, keyField: string | undefined): NewEvent {
  const { event, explicitHashKey: _, ...others } = value
  const unknown = Object.keys(others)[0]
  if (unknown !== undefined) {
    const name = JSON.stringify(unknown.slice(0, 80))
    throw new InvalidEventError(
      `member ${name} is not known beside "event". Send {"event", "explicitHashKey"}`,
    )
  }
  if (!isObject(event) || !Object.hasOwn(event, 'specversion')) {
    throw new InvalidEventError('"event" must be a CloudEvents envelope, with "specversion"')
  }
  return {
    ...fromEnvelope(event, keyField),
    ...defined({ explicitHashKey: optionalText(value, 'explicitHashKey') }),
  }
}
