import { AwsError } from '../aws-error.ts'
import type { AwsStructure, AwsValue } from '../aws-service.ts'
import type { Member, ServiceModel, Shape } from '../model/service-model.ts'
import { shapeOf } from '../model/shape-of.ts'

/** Names split at their dots: `Attribute.1.Name` is three nodes deep. */
interface Node {
  value?: string
  readonly children: Map<string, Node>
}

/**
 * Form parameters as the input of an operation; those that the model does not know are left out.
 *
 * @throws AwsError InvalidParameterValue for a value that is not of its type
 */
export function decodeQuery(
  model: ServiceModel,
  operation: string,
  parameters: ReadonlyMap<string, string>,
): AwsStructure {
  const shapeName = model.operations[operation]?.input
  if (shapeName === undefined) return {}
  const root: Node = { children: new Map() }
  for (const [name, value] of parameters) {
    let node = root
    for (const part of name.split('.')) {
      let next = node.children.get(part)
      if (next === undefined) {
        next = { children: new Map() }
        node.children.set(part, next)
      }
      node = next
    }
    node.value = value
  }
  return decodeStructure(model, shapeName, root)
}

function decodeStructure(model: ServiceModel, shapeName: string, node: Node): AwsStructure {
  const shape = shapeOf(model, shapeName)
  if (shape.type !== 'structure') throw new Error(`${shapeName} is no structure`)
  const decoded: Record<string, AwsValue> = {}
  for (const [name, member] of Object.entries(shape.members)) {
    const inner = node.children.get(member.locationName ?? name) ?? node.children.get(name)
    const value = inner === undefined ? undefined : decodeValue(model, member, inner, name)
    if (value !== undefined) decoded[name] = value
  }
  return decoded
}

function decodeValue(model: ServiceModel, member: Member, node: Node, name: string): AwsValue | undefined {
  const shape = shapeOf(model, member.shape)
  switch (shape.type) {
    case 'structure':
      return decodeStructure(model, member.shape, node)
    case 'list':
      return numbered(member.flattened === true ? node : (node.children.get('member') ?? node)).flatMap(
        (item) => decodeValue(model, shape.member, item, name) ?? [],
      )
    case 'map':
      return decodeMap(model, shape, node, name)
    default:
      return node.value === undefined ? undefined : decodePlain(shape.type, node.value, name)
  }
}

function decodeMap(
  model: ServiceModel,
  shape: Extract<Shape, { type: 'map' }>,
  node: Node,
  name: string,
): AwsValue {
  const keyName = shape.key.locationName ?? 'key'
  const valueName = shape.value.locationName ?? 'value'
  // A single entry may come without its number: `Attribute.Name=…&Attribute.Value=…`.
  const entries = node.children.has(keyName) ? [node] : numbered(node.children.get('entry') ?? node)
  const decoded: Record<string, AwsValue> = Object.create(null)
  for (const entry of entries) {
    const key = entry.children.get(keyName)?.value
    const inner = entry.children.get(valueName)
    if (key === undefined) continue
    decoded[key] = inner === undefined ? null : (decodeValue(model, shape.value, inner, name) ?? null)
  }
  return decoded
}

/** Children in the order of their numbers, whatever numbers they have. */
function numbered(node: Node): readonly Node[] {
  return [...node.children]
    .filter(([number]) => /^\d{1,9}$/.test(number))
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, child]) => child)
}

type PlainType = Exclude<Shape['type'], 'structure' | 'list' | 'map'>

function decodePlain(type: PlainType, text: string, name: string): AwsValue {
  switch (type) {
    case 'string':
      return text
    case 'blob':
      return decodeBlob(text, name)
    case 'boolean':
      if (text !== 'true' && text !== 'false') throw invalid(text, name, 'Must be a boolean.')
      return text === 'true'
    case 'timestamp': {
      const time = new Date(text)
      if (Number.isNaN(time.getTime())) throw invalid(text, name, 'Must be a timestamp.')
      return time
    }
    case 'integer':
    case 'long': {
      const number = Number(text)
      if (!/^[+-]?\d{1,19}$/.test(text)) throw invalid(text, name, 'Must be an integer.')
      if (type === 'integer' && Math.abs(number) > 2_147_483_647)
        throw invalid(text, name, 'Must be an integer.')
      return number
    }
    case 'double': {
      const number = Number(text)
      if (text.trim() === '' || !Number.isFinite(number)) throw invalid(text, name, 'Must be a number.')
      return number
    }
  }
}

function decodeBlob(text: string, name: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64') !== text) throw invalid(text, name, 'Must be base64.')
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}

function invalid(text: string, name: string, reason: string): AwsError {
  const shown = text.length <= 100 ? text : `${text.slice(0, 100)}...`
  return new AwsError(
    'InvalidParameterValue',
    `Value ${shown} for parameter ${name} is invalid. Reason: ${reason}`,
  )
}
