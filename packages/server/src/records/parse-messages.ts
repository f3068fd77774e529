import { InvalidEventError, type NewMessage, valueAt } from '@eddy/core'
import { defined, type Fields } from '../http/fields.ts'
import { isObject } from '../http/json-body.ts'
import { fromEnvelope } from './from-envelope.ts'
import { fromNewEvent } from './from-new-event.ts'
import { type BodyOptions, type Parsed, parseBody } from './parse-body.ts'

/** How the values of a body become messages. */
export interface MessageOptions extends BodyOptions {
  /** Values are data, not messages. */
  readonly raw: boolean
  /** With `raw`: event type. */
  readonly type?: string
  /** Dot path of the group within each value. */
  readonly groupField?: string
  /** Dot path of the deduplication id within each value. */
  readonly deduplicationIdField?: string
  /** For messages that say nothing of it. */
  readonly delayMs?: number
  readonly at?: number
}

/** What `key` a message needs to be read as an event: it has none. */
const NO_KEY = 'message'
const FORMS = '{"data", "group", "delayMs", …}, a CloudEvents envelope, or plain JSON with ?raw=true'
const OWN = ['group', 'delayMs', 'at', 'deduplicationId']

/**
 * The messages of a request body, in order. A bad one fails alone, in its place.
 * @throws InvalidRequestError, RequestTooLargeError as `parseBody`
 */
export function parseMessages(body: Uint8Array, options: MessageOptions): readonly Parsed<NewMessage>[] {
  return parseBody(body, options, (value) => toNewMessage(value, options))
}

function toNewMessage(value: unknown, options: MessageOptions): NewMessage {
  if (options.raw) {
    const stated = defined({
      type: options.type,
      group: textAt(value, options.groupField),
      deduplicationId: textAt(value, options.deduplicationIdField),
    })
    return { data: value, ...stated, ...delay({}, options) }
  }
  if (!isObject(value))
    throw new InvalidEventError('it must be a JSON object; with raw=true any value is taken')
  if (Object.hasOwn(value, 'specversion')) return fromCloudEvent(value, options)
  const { group, delayMs, at, deduplicationId, ...event } = value
  if (event.key !== undefined)
    throw new InvalidEventError('"key" is not known. A message has a "group", in a queue with groups')
  const {
    key: _key,
    explicitHashKey: _hash,
    ...message
  } = fromNewEvent({ ...event, key: NO_KEY }, undefined, FORMS)
  // What is wrong with these the queue says, which knows what it takes.
  const own = defined({
    group: group ?? textAt(value, options.groupField),
    deduplicationId: deduplicationId ?? textAt(value, options.deduplicationIdField),
  })
  return { ...message, ...own, ...delay({ delayMs, at }, options) } as NewMessage
}

/** An envelope's partition key is its group, unless the queue has none; its other members are the event's. */
function fromCloudEvent(value: Fields, options: MessageOptions): NewMessage {
  const envelope = Object.fromEntries(Object.entries(value).filter(([name]) => !OWN.includes(name)))
  const { key: _key, ...message } = fromEnvelope({ ...envelope, partitionkey: NO_KEY }, undefined)
  const own = defined({
    group: textAt(value, options.groupField),
    deduplicationId: textAt(value, options.deduplicationIdField),
  })
  return { ...message, ...own, ...delay({}, options) }
}

function delay(
  stated: { readonly delayMs?: unknown; readonly at?: unknown },
  { delayMs, at }: MessageOptions,
): Pick<NewMessage, 'delayMs' | 'at'> {
  const own = defined(stated)
  return (Object.keys(own).length > 0 ? own : defined({ delayMs, at })) as Pick<NewMessage, 'delayMs' | 'at'>
}

/** Text at a dot path, or a number or boolean as its text. @throws InvalidEventError when there is none */
function textAt(value: unknown, path: string | undefined): string | undefined {
  if (path === undefined) return undefined
  const found = valueAt(value, path)
  const text = typeof found === 'number' || typeof found === 'boolean' ? String(found) : found
  if (typeof text === 'string' && text !== '') return text
  throw new InvalidEventError(`it has no text in field "${path}"`)
}
