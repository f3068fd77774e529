import { InvalidEventError, type NewEvent } from '@eddy/core'
import { isObject } from '../http/json-body.ts'
import { fromEnvelope } from './from-envelope.ts'
import { fromNewEvent } from './from-new-event.ts'
import { fromPlaced } from './from-placed.ts'
import { fromRaw } from './from-raw.ts'
import type { RecordOptions } from './parsed-record.ts'

/**
 * One JSON value as an event: with `raw` the value is the data; else an object with `specversion` is a CloudEvents
 * envelope, one with `event` is an envelope and where to place it, and any other object is a NewEvent.
 *
 * @throws InvalidEventError (EDDY_INVALID_EVENT)
 */
export function toNewEvent(value: unknown, options: RecordOptions): NewEvent {
  if (options.raw) return fromRaw(value, options)
  if (!isObject(value))
    throw new InvalidEventError('it must be a JSON object; with raw=true any value is taken')
  if (Object.hasOwn(value, 'event') && !Object.hasOwn(value, 'specversion'))
    return fromPlaced(value, options.keyField)
  return Object.hasOwn(value, 'specversion')
    ? fromEnvelope(value, options.keyField)
    : fromNewEvent(value, options.keyField)
}
