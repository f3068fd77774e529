import { describe } from '../errors/describe.ts'
import { UndecodableEventError } from '../errors/handler-errors.ts'
import { InvalidEventError } from '../errors/stream-errors.ts'
import type { EddyEvent, NewEvent } from './event.ts'
import { isHashKey } from './hash-key.ts'
import { nearest } from './option-checks.ts'

/** The limits of an event's attributes, in UTF-16 code units. */
const MAX_KEY_CHARACTERS = 256
const MAX_ATTRIBUTE_CHARACTERS = 1_024

/** In the order of NewEvent; a Set, since every event is checked against it. */
const FIELDS = new Set([
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
])

/** Attributes of the envelope that an extension would overwrite. */
const RESERVED = new Set([
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
  // The producer's own, by which readers tell copies (produce/producer-marks.ts).
  'eddyproducer',
  'eddysequence',
])

const RFC3339 =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])[Tt](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{1,9})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

export interface EncodeContext {
  readonly stream: string
  /** The event's id when it states none. */
  readonly id: string
  readonly nowMs: number
}

/**
 * The bytes of a record: the event as CloudEvents 1.0 JSON, structured mode, UTF-8.
 *
 * @throws InvalidEventError that names the field: a key that is not 1 to 256 characters, an unknown field, a wrong
 * type, an extension name that is taken or not 1 to 20 lower-case letters and digits, data that JSON cannot hold
 */
export function encodeEvent(event: NewEvent, context: EncodeContext): Uint8Array {
  checkNewEvent(event)
  // Written piece by piece, so that what is wrong with the data is told from the rest.
  const json = `{"specversion":"1.0","id":${quote(event.id ?? context.id)},${attributesJson(event, context)}"partitionkey":${quote(event.key)}${
    event.extensions === undefined ? '' : extensionsJson(event.extensions)
  },"data":${dataJson(event.data)}}`
  return utf8Of(json)
}

let usualStream = ''
let usualTimeMs = Number.NaN
let usualAttributes = ''

/** From source to dataschema. Most events state none of them: those of one stream and millisecond share theirs. */
function attributesJson(event: NewEvent, context: EncodeContext): string {
  const { source, type, subject, time, dataschema } = event
  if (
    source !== undefined ||
    type !== undefined ||
    subject !== undefined ||
    time !== undefined ||
    dataschema !== undefined
  )
    return writtenAttributes(event, context)
  if (context.nowMs !== usualTimeMs || context.stream !== usualStream) {
    usualAttributes = writtenAttributes(event, context)
    usualTimeMs = context.nowMs
    usualStream = context.stream
  }
  return usualAttributes
}

function writtenAttributes(event: NewEvent, context: EncodeContext): string {
  return `"source":${event.source === undefined ? '"eddy"' : quote(event.source)},"type":${quote(
    event.type ?? `${context.stream}.event`,
  )}${event.subject === undefined ? '' : `,"subject":${quote(event.subject)}`},"time":${quote(
    event.time ?? new Date(context.nowMs).toISOString(),
  )},"datacontenttype":"application/json",${
    event.dataschema === undefined ? '' : `"dataschema":${quote(event.dataschema)},`
  }`
}

const SLAB_BYTES = 65_536
let slab = new Uint8Array(SLAB_BYTES)
let slabUsed = 0

/** Allocating a small array costs as much as serialising an event: small records share a slab, written once. */
function utf8Of(text: string): Uint8Array {
  const mostBytes = text.length * 3
  if (mostBytes > SLAB_BYTES / 4) return encoder.encode(text)
  if (slabUsed + mostBytes > SLAB_BYTES) {
    slab = new Uint8Array(SLAB_BYTES)
    slabUsed = 0
  }
  const free = slab.subarray(slabUsed)
  const { written } = encoder.encodeInto(text, free)
  slabUsed += written
  return free.subarray(0, written)
}

/** JSON.stringify answers undefined for what has no JSON form, such as a `toJSON` that returns nothing. */
function dataJson(data: unknown): string {
  let json: string | undefined
  try {
    json = JSON.stringify(data)
  } catch (error) {
    throw invalid('data', `JSON cannot hold it: ${firstLine(error)}`)
  }
  if (json === undefined) throw expected('data', 'a JSON value (null when there is none)', undefined)
  return json
}

/** Printable ASCII without the two characters that JSON escapes: what keys and ids mostly are. */
const PLAIN = /^[ !#-[\]-~]*$/

function quote(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text)
}

/**
 * The event of a record.
 * @throws UndecodableEventError when the bytes are not UTF-8, not JSON, or not a CloudEvents 1.0 envelope
 */
export function decodeEvent(bytes: Uint8Array): EddyEvent {
  let text: string
  try {
    text = decoder.decode(bytes)
  } catch {
    throw new UndecodableEventError('the bytes are not UTF-8')
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The parser's own message quotes the payload, which must not reach a log.
    throw new UndecodableEventError('the text is not JSON')
  }
  if (isCloudEvent(value)) return value
  throw new UndecodableEventError(problemOf(value))
}

/** True for an object with specversion `1.0` and non-empty id, source and type. */
export function isCloudEvent(value: unknown): value is EddyEvent {
  if (typeof value !== 'object' || value === null) return false
  const { specversion, id, source, type } = value as Partial<EddyEvent>
  return specversion === '1.0' && isFilled(id) && isFilled(source) && isFilled(type)
}

function problemOf(value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'it is not a JSON object'
  const { specversion, id, source } = value as Partial<EddyEvent>
  if (specversion !== '1.0') return `specversion: expected "1.0", received ${describe(specversion)}`
  const name = isFilled(id) ? (isFilled(source) ? 'type' : 'source') : 'id'
  return `${name}: expected a non-empty string`
}

function isFilled(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}

function checkNewEvent(event: NewEvent): void {
  if (typeof event !== 'object' || event === null || Array.isArray(event)) {
    throw new InvalidEventError(`expected an object with key and data, received ${describe(event)}`)
  }
  for (const name in event) if (!FIELDS.has(name)) throw unknownField(name)
  checkKey(event.key)
  checkAttribute('type', event.type, MAX_ATTRIBUTE_CHARACTERS)
  checkAttribute('id', event.id, MAX_ATTRIBUTE_CHARACTERS)
  checkAttribute('source', event.source, MAX_ATTRIBUTE_CHARACTERS)
  checkAttribute('subject', event.subject, MAX_ATTRIBUTE_CHARACTERS)
  checkAttribute('dataschema', event.dataschema, MAX_ATTRIBUTE_CHARACTERS)
  if (event.time !== undefined && !(typeof event.time === 'string' && RFC3339.test(event.time))) {
    throw expected('time', 'an RFC 3339 time such as "2026-01-31T12:00:00Z"', event.time)
  }
  if (event.explicitHashKey !== undefined && !isHashKey(event.explicitHashKey)) {
    throw expected('explicitHashKey', 'a decimal integer from 0 to 2^128 - 1', event.explicitHashKey)
  }
  checkData(event.data)
}

function checkKey(key: unknown): void {
  if (typeof key !== 'string' || key.length < 1 || key.length > MAX_KEY_CHARACTERS) {
    throw expected('key', `1 to ${MAX_KEY_CHARACTERS} characters`, key)
  }
  // A lone surrogate has no UTF-8 form: two different keys would become one on the way to a shard.
  if (/\p{Surrogate}/u.test(key)) throw expected('key', 'well-formed Unicode', key)
}

function checkAttribute(name: string, value: unknown, maxCharacters: number): void {
  if (value === undefined) return
  if (typeof value === 'string' && value.length >= 1 && value.length <= maxCharacters) return
  throw expected(name, `1 to ${maxCharacters} characters`, value)
}

/** Values that JSON would turn into something else without a word. What lies deeper is the author's. */
function checkData(data: unknown): void {
  if (typeof data !== 'object') {
    if (data === undefined || typeof data === 'function' || typeof data === 'symbol') {
      throw expected('data', 'a JSON value (null when there is none)', data)
    }
    if (typeof data === 'number' && !Number.isFinite(data)) throw expected('data', 'a finite number', data)
    return
  }
  if (data === null || Array.isArray(data)) return
  if (ArrayBuffer.isView(data) || data instanceof ArrayBuffer) {
    throw invalid('data', 'expected a JSON value, received bytes. Send them as base64 text')
  }
  if (data instanceof Map || data instanceof Set) {
    throw invalid(
      'data',
      `expected a JSON value, received a ${data.constructor.name}, which JSON writes as {}`,
    )
  }
  if (data instanceof Promise) throw invalid('data', 'expected a JSON value, received a promise: await it')
}

function extensionsJson(extensions: unknown): string {
  if (typeof extensions !== 'object' || extensions === null || Array.isArray(extensions)) {
    throw expected('extensions', 'an object of attributes', extensions)
  }
  let json = ''
  for (const [name, value] of Object.entries(extensions)) {
    if (!/^[a-z0-9]{1,20}$/.test(name) || RESERVED.has(name)) {
      throw invalid(
        `extensions.${name}`,
        RESERVED.has(name) ? 'the name is taken' : 'a name is 1 to 20 lower-case letters and digits',
      )
    }
    if (typeof value === 'number' ? !Number.isFinite(value) : !isAttribute(value)) {
      throw expected(`extensions.${name}`, 'a string, a number or a boolean', value)
    }
    json += `,"${name}":${JSON.stringify(value)}`
  }
  return json
}

function isAttribute(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'boolean'
}

function unknownField(name: string): InvalidEventError {
  const close = nearest(name, [...FIELDS])
  const hint = close === undefined ? `the fields are ${[...FIELDS].join(', ')}` : `did you mean "${close}"?`
  return invalid(name, `no field of this name (${hint})`)
}

function expected(field: string, what: string, received: unknown): InvalidEventError {
  return invalid(field, `expected ${what}, received ${describe(received)}`)
}

function invalid(field: string, problem: string): InvalidEventError {
  return new InvalidEventError(`${field}: ${problem}`, { field })
}

function firstLine(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n', 1)[0] as string) : describe(error)
}
