import type { AwsStructure, AwsValue } from '../aws-service.ts'
import type { Member, ServiceModel } from '../model/service-model.ts'
import { shapeOf } from '../model/shape-of.ts'

/** The members of a structure as XML elements, in the order of the model. */
export function encodeXml(model: ServiceModel, shapeName: string, value: AwsStructure): string {
  const shape = shapeOf(model, shapeName)
  if (shape.type !== 'structure') throw new Error(`${shapeName} is no structure`)
  return Object.entries(shape.members)
    .map(([name, member]) => encodeMember(model, name, member, value[name]))
    .join('')
}

export function xmlText(text: string): string {
  return text
    .replace(/[&<>"]/g, (character) => ESCAPES[character] ?? '')
    .replaceAll('\r', '&#xD;')
    .replace(NOT_XML, '\ufffd')
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
/** What XML 1.0 has no way to write. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones
const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g

function encodeMember(
  model: ServiceModel,
  memberName: string,
  member: Member,
  value: AwsValue | undefined,
): string {
  if (value === undefined || value === null) return ''
  const name = member.locationName ?? memberName
  const shape = shapeOf(model, member.shape)
  const element = (content: string) => `<${name}>${content}</${name}>`
  if (shape.type === 'list') {
    const items = value as readonly AwsValue[]
    if (member.flattened === true)
      return items.map((item) => element(encodeValue(model, shape.member, item))).join('')
    return element(
      items
        .map((item) => encodeMember(model, shape.member.locationName ?? 'member', shape.member, item))
        .join(''),
    )
  }
  if (shape.type === 'map') {
    const entries = Object.entries(value as AwsStructure).map(
      ([key, inner]) =>
        encodeMember(model, 'key', shape.key, key) + encodeMember(model, 'value', shape.value, inner),
    )
    if (member.flattened === true) return entries.map(element).join('')
    return element(entries.map((entry) => `<entry>${entry}</entry>`).join(''))
  }
  return element(encodeValue(model, member, value))
}

function encodeValue(model: ServiceModel, member: Member, value: AwsValue): string {
  if (value instanceof Uint8Array)
    return Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64')
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'object' && value !== null)
    return encodeXml(model, member.shape, value as AwsStructure)
  return xmlText(String(value))
}
