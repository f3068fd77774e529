import { AwsError } from '../aws-error.ts'
import type { AwsStructure, AwsValue } from '../aws-service.ts'
import type { ServiceModel, Shape } from '../model/service-model.ts'
import { shapeOf } from '../model/shape-of.ts'
import { decodeBase64 } from './decode-base64.ts'

const MAX_INTEGER = 2_147_483_647
const NO_STRUCTURE = 'Start of structure or map found where not expected.'
const NO_LIST = 'Start of list found where not expected'
/** What JavaScript's dates can hold, in milliseconds. */
const MAX_TIME_MS = 8_640_000_000_000_000

/**
 * A parsed JSON document as the input of an operation: members that the model does not know are left out, and so are
 * those that are null; base64 becomes bytes, seconds become a date.
 *
 * @throws AwsError SerializationException for a value of another type, in the words of the service
 */
export function decodeJson(model: ServiceModel, operation: string, document: unknown): AwsStructure {
  const shapeName = model.operations[operation]?.input
  if (typeof document !== 'object' || document === null || Array.isArray(document)) throw serialization()
  if (shapeName === undefined) return {}
  return decodeStructure(model, shapeOf(model, shapeName), document)
}

function decodeStructure(model: ServiceModel, shape: Shape, json: object): AwsStructure {
  if (shape.type !== 'structure') throw new Error('an input is a structure')
  const decoded: Record<string, AwsValue> = {}
  for (const name of Object.keys(shape.members)) {
    if (!Object.hasOwn(json, name)) continue
    const value: unknown = (json as Record<string, unknown>)[name]
    const member = shape.members[name]
    if (value !== null && member !== undefined) decoded[name] = decodeValue(model, member.shape, value)
  }
  return decoded
}

function decodeValue(model: ServiceModel, shapeName: string, json: unknown): AwsValue {
  const shape = shapeOf(model, shapeName)
  switch (shape.type) {
    case 'structure':
      if (typeof json !== 'object') throw serialization('Expected null')
      if (Array.isArray(json)) throw serialization(NO_LIST)
      return decodeStructure(model, shape, json as object)
    case 'list':
      if (typeof json !== 'object') throw serialization('Expected list or null')
      if (!Array.isArray(json)) throw serialization(NO_STRUCTURE)
      return json.map((one: unknown) => (one === null ? null : decodeValue(model, shape.member.shape, one)))
    case 'map':
      return decodeMap(model, shape.value.shape, json)
    default:
      return decodePlain(shape.type, json)
  }
}

function decodeMap(model: ServiceModel, valueShape: string, json: unknown): AwsValue {
  if (typeof json !== 'object') throw serialization('Expected map or null')
  if (Array.isArray(json)) throw serialization(NO_LIST)
  // No prototype: a key may be any text, `__proto__` too.
  const decoded: Record<string, AwsValue> = Object.create(null)
  for (const [key, value] of Object.entries(json as object))
    decoded[key] = value === null ? null : decodeValue(model, valueShape, value)
  return decoded
}

type PlainType = Exclude<Shape['type'], 'structure' | 'list' | 'map'>

function decodePlain(type: PlainType, json: unknown): AwsValue {
  if (Array.isArray(json)) throw serialization(NO_LIST)
  if (typeof json === 'object') throw serialization(NO_STRUCTURE)
  switch (type) {
    case 'string':
      if (typeof json !== 'string')
        throw serialization(`${javaClass(json)} can not be converted to an String`)
      return json
    case 'blob':
      if (typeof json !== 'string') throw serialization(`${javaClass(json)} can not be converted to a Blob`)
      return decodeBase64(json)
    case 'boolean':
      if (typeof json === 'string')
        throw serialization(`'${shortened(json.toUpperCase())}' can not be converted to an Boolean`)
      if (typeof json !== 'boolean')
        throw serialization(`${javaClass(json)} can not be converted to an Boolean`)
      return json
    case 'timestamp':
      return decodeTimestamp(json)
    case 'integer':
    case 'long':
    case 'double':
      return decodeNumber(type, json)
  }
}

function decodeNumber(type: 'integer' | 'long' | 'double', json: unknown): number {
  const name = { integer: 'Integer', long: 'Long', double: 'Double' }[type]
  if (typeof json !== 'number') throw serialization(`${javaClass(json)} can not be converted to an ${name}`)
  if (type === 'double') return json
  const limit = type === 'integer' ? MAX_INTEGER : Number.MAX_SAFE_INTEGER
  return Math.min(Math.max(Math.trunc(json), -limit - 1), limit)
}

function decodeTimestamp(json: unknown): Date {
  if (typeof json !== 'number')
    throw serialization(`${javaClass(json)} can not be converted to milliseconds since epoch`)
  const epochMs = Math.round(json * 1000)
  if (Math.abs(epochMs) > MAX_TIME_MS)
    throw serialization(`${json} can not be converted to milliseconds since epoch`)
  return new Date(epochMs)
}

function javaClass(json: unknown): string {
  if (typeof json === 'number') return 'class com.amazon.coral.value.json.numbers.TruncatingBigNumber'
  return typeof json === 'boolean' ? 'class java.lang.Boolean' : 'class java.lang.String'
}

/** Of a text that is sent back: enough to know it by (I6). */
function shortened(text: string): string {
  return text.length <= 100 ? text : `${text.slice(0, 100)}...`
}

function serialization(message = ''): AwsError {
  return new AwsError('SerializationException', message)
}
