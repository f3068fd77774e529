import { AwsError } from '../aws-error.ts'
import type { AwsStructure, AwsValue } from '../aws-service.ts'
import { findViolations, type Violation } from './find-violations.ts'
import type { Member, ServiceModel } from './service-model.ts'

/** The service repeats a value as it is; ours stop here, so that no answer grows with what was sent (I6). */
const MAX_SHOWN_CHARACTERS = 1_000

/**
 * Checks an input of the right types against the constraints of the model.
 *
 * @throws AwsError ValidationException, which names up to ten violations; for SQS the error of its first one
 */
export function checkInput(model: ServiceModel, operation: string, input: AwsStructure): void {
  const shapeName = model.operations[operation]?.input
  if (shapeName === undefined) return
  const violations = findViolations(model, shapeName, input)
  const [first] = violations
  if (first === undefined) return
  if (model.name === 'sqs') throw sqsRefusal(model, { shape: shapeName }, first)
  const count = `${violations.length} validation error${violations.length > 1 ? 's' : ''} detected: `
  throw new AwsError(
    'ValidationException',
    count + violations.map((violation) => text(model, violation)).join('; '),
  )
}

function text(model: ServiceModel, { path, value, constraint }: Violation): string {
  const shown = value === undefined ? 'null' : `'${shortened(shownValue(model, value))}'`
  const place = path.map((part) => part[0]?.toLowerCase() + part.slice(1)).join('.')
  return `Value ${shown} at '${place}' failed to satisfy constraint: ${constraint}`
}

/** As Java prints it. */
function shownValue(model: ServiceModel, value: AwsValue): string {
  if (value instanceof Uint8Array)
    return `java.nio.HeapByteBuffer[pos=0 lim=${value.length} cap=${value.length}]`
  if (value === null || typeof value !== 'object') return String(value)
  if (value instanceof Date) return value.toISOString()
  const inner = (one: AwsValue | undefined) =>
    one !== null && typeof one === 'object' && !(one instanceof Date)
      ? `com.amazonaws.${model.name}.Structure`
      : String(one ?? null)
  if (Array.isArray(value)) return `[${value.slice(0, 100).map(inner).join(', ')}]`
  const entries = Object.entries(value as AwsStructure)
  return `{${entries
    .slice(0, 100)
    .map(([key, one]) => `${key}=${inner(one)}`)
    .join(', ')}}`
}

function shortened(shown: string): string {
  return shown.length <= MAX_SHOWN_CHARACTERS ? shown : `${shown.slice(0, MAX_SHOWN_CHARACTERS)}...`
}

/** SQS, which is older, words each kind in its own way; its model has no constraints but these two. */
function sqsRefusal(
  model: ServiceModel,
  input: Member,
  { rule, path, value, shapeName }: Violation,
): AwsError {
  if (rule === 'required') {
    const name = queryPath(model, input, path)
    return new AwsError(
      'MissingRequiredParameterException',
      `The request must contain the parameter ${name}.`,
      {
        queryCode: 'MissingParameter',
      },
    )
  }
  const names = Array.isArray(value) ? value : Object.keys(value as AwsStructure)
  const known = knownNames(model, shapeName)
  const unknown = names.find((name) => !known.includes(String(name)))
  return new AwsError('InvalidAttributeName', `Unknown Attribute ${shortened(String(unknown))}.`)
}

/** `SendMessageBatchRequestEntry.1.MessageBody`: in the words of the query protocol, whichever is spoken. */
function queryPath(model: ServiceModel, input: Member, path: readonly string[]): string {
  const [name = ''] = path
  const shape = model.shapes[input.shape]
  const member = shape?.type === 'structure' ? shape.members[name] : undefined
  return [member?.locationName ?? name, ...path.slice(1).filter((part) => part !== 'member')].join('.')
}

function knownNames(model: ServiceModel, shapeName: string): readonly string[] {
  const shape = model.shapes[shapeName]
  const inner = shape?.type === 'list' ? shape.member : shape?.type === 'map' ? shape.key : undefined
  const named = model.shapes[inner?.shape ?? shapeName]
  return named?.type === 'string' ? (named.enum ?? []) : []
}
