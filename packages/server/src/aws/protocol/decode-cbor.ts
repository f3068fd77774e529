import { AwsError } from '../aws-error.ts'
import type { AwsStructure, AwsValue } from '../aws-service.ts'
import type { ServiceModel, Shape } from '../model/service-model.ts'
import { shapeOf } from '../model/shape-of.ts'

const MAX_INTEGER = 2_147_483_647

/**
 * A parsed CBOR document as the input of an operation; like `decodeJson`, but bytes are bytes and times are times.
 *
 * @throws AwsError SerializationException for a value of another type
 */
export function decodeCbor(model: ServiceModel, operation: string, document: unknown): AwsStructure {
  const shapeName = model.operations[operation]?.input
  if (!isPlainObject(document)) throw serialization()
  if (shapeName === undefined) return {}
  return decodeStructure(model, shapeOf(model, shapeName), document)
}

function decodeStructure(model: ServiceModel, shape: Shape, cbor: Record<string, unknown>): AwsStructure {
  if (shape.type !== 'structure') throw new Error('an input is a structure')
  const decoded: Record<string, AwsValue> = {}
  for (const [name, member] of Object.entries(shape.members)) {
    if (!Object.hasOwn(cbor, name)) continue
    const value = cbor[name]
    if (value !== null) decoded[name] = decodeValue(model, member.shape, value)
  }
  return decoded
}

function decodeValue(model: ServiceModel, shapeName: string, cbor: unknown): AwsValue {
  const shape = shapeOf(model, shapeName)
  switch (shape.type) {
    case 'structure':
      if (!isPlainObject(cbor)) throw serialization()
      return decodeStructure(model, shape, cbor)
    case 'list':
      if (!Array.isArray(cbor)) throw serialization()
      return cbor.map((one: unknown) => (one === null ? null : decodeValue(model, shape.member.shape, one)))
    case 'map': {
      if (!isPlainObject(cbor)) throw serialization()
      const decoded: Record<string, AwsValue> = Object.create(null)
      for (const [key, value] of Object.entries(cbor))
        decoded[key] = value === null ? null : decodeValue(model, shape.value.shape, value)
      return decoded
    }
    default:
      return decodePlain(shape.type, cbor)
  }
}

function decodePlain(type: Exclude<Shape['type'], 'structure' | 'list' | 'map'>, cbor: unknown): AwsValue {
  switch (type) {
    case 'string':
      if (typeof cbor !== 'string') throw serialization()
      return cbor
    case 'blob':
      if (!(cbor instanceof Uint8Array)) throw serialization()
      return cbor
    case 'boolean':
      if (typeof cbor !== 'boolean') throw serialization()
      return cbor
    case 'timestamp':
      return decodeTime(cbor)
    case 'double':
      return decodeNumber(cbor)
    case 'integer':
    case 'long': {
      const limit = type === 'integer' ? MAX_INTEGER : Number.MAX_SAFE_INTEGER
      return Math.min(Math.max(Math.trunc(decodeNumber(cbor)), -limit - 1), limit)
    }
  }
}

/** With its tag, or as a bare number of milliseconds. */
function decodeTime(cbor: unknown): Date {
  if (cbor instanceof Date) return cbor
  const time = new Date(decodeNumber(cbor))
  if (Number.isNaN(time.getTime())) throw serialization()
  return time
}

function decodeNumber(cbor: unknown): number {
  if (typeof cbor === 'bigint') return Number(cbor)
  if (typeof cbor !== 'number') throw serialization()
  return cbor
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array) &&
    !(value instanceof Date)
  )
}

function serialization(): AwsError {
  return new AwsError('SerializationException', '')
}
