import type { AwsStructure } from '../../aws-service.ts'
import { structureIn, textIn } from '../input.ts'
import { invalidParameter, unsupported } from '../sqs-errors.ts'
import type { StoredAttribute } from '../store/stored.ts'
import { hasForbiddenCharacter } from './check-characters.ts'

const MAX_ATTRIBUTES = 10
const MAX_NAME_CHARACTERS = 256
const MAX_TYPE_CHARACTERS = 256
const NAME = /^[A-Za-z0-9_.-]+$/
const TYPE = /^(String|Number|Binary)(\..+)?$/s
/** 38 digits of precision, between -10^128 and 10^126 (documentation of message attributes). */
const MAX_DIGITS = 38
const NUMBER = /^[+-]?(\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?$/

/** A message's attributes. @throws AwsError if one is none that the service takes */
export function readAttributes(input: AwsStructure): readonly StoredAttribute[] {
  const given = structureIn(input, 'MessageAttributes') ?? {}
  const names = Object.keys(given)
  if (names.length > MAX_ATTRIBUTES) {
    throw invalidParameter(
      `Number of message attributes [${names.length}] exceeds the allowed maximum [${MAX_ATTRIBUTES}].`,
    )
  }
  return names.map((name) => {
    checkName(name)
    return readValue(name, structureIn(given, name) ?? {}, '(user) ')
  })
}

/** The one system attribute that a sender may set. @throws AwsError if it is no text */
export function readTraceHeader(input: AwsStructure): StoredAttribute | undefined {
  const given = structureIn(input, 'MessageSystemAttributes')
  const header = given && structureIn(given, 'AWSTraceHeader')
  if (header === undefined) return undefined
  const attribute = readValue('AWSTraceHeader', header, '(system) ')
  if (attribute.type !== 'String') {
    throw invalidParameter("The message (system) attribute 'AWSTraceHeader' must be of type 'String'.")
  }
  return attribute
}

function checkName(name: string): void {
  if (name === '' || name.length > MAX_NAME_CHARACTERS) {
    throw invalidParameter(
      `Message (user) attribute name must be 1 to ${MAX_NAME_CHARACTERS} characters long.`,
    )
  }
  if (!NAME.test(name) || name.startsWith('.') || name.endsWith('.') || name.includes('..')) {
    throw invalidParameter(
      `Invalid message (user) attribute name '${name}': it may have letters, digits, underscores, hyphens and periods, and must not begin or end with a period or have two in a row.`,
    )
  }
  if (/^(aws|amazon)\./i.test(name)) {
    throw invalidParameter(
      `Message (user) attribute name '${name}' must not start with a reserved prefix: AWS. or Amazon.`,
    )
  }
}

function readValue(name: string, input: AwsStructure, kind: string): StoredAttribute {
  const type = textIn(input, 'DataType') ?? ''
  const base = TYPE.exec(type)?.[1]
  if (type === '') {
    throw invalidParameter(
      `The message ${kind}attribute '${name}' must contain a non-empty message attribute type.`,
    )
  }
  if (base === undefined || type.length > MAX_TYPE_CHARACTERS || hasForbiddenCharacter(type)) {
    throw invalidParameter(
      `The message ${kind}attribute '${name}' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.`,
    )
  }
  if (input.StringListValues !== undefined || input.BinaryListValues !== undefined) {
    throw unsupported('Message attribute list values in SendMessage operation are not supported.')
  }
  const value = base === 'Binary' ? input.BinaryValue : input.StringValue
  if (base === 'Binary' && value instanceof Uint8Array && value.length > 0) return { name, type, value }
  if (base === 'Binary' || typeof value !== 'string' || value === '') {
    throw invalidParameter(
      `The message ${kind}attribute '${name}' must contain a non-empty message attribute value for message attribute type '${base}'.`,
    )
  }
  if (hasForbiddenCharacter(value)) {
    throw invalidParameter(`Invalid binary character was found in the message ${kind}attribute '${name}'.`)
  }
  if (base === 'Number' && !isNumber(value)) {
    throw invalidParameter(`Can't cast the value of message ${kind}attribute '${name}' to a number.`)
  }
  return { name, type, value }
}

function isNumber(text: string): boolean {
  const match = NUMBER.exec(text)
  if (match === null) return false
  const digits = (match[1] as string).replace('.', '').replace(/^0+|0+$/g, '')
  const value = Number(text)
  return digits.length <= MAX_DIGITS && value >= -1e128 && value <= 1e126
}
