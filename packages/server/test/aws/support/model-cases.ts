import fc from 'fast-check'
import type { Member, ServiceModel, Shape } from '../../../src/aws/model/service-model.ts'

/** An input as JSON, before it is decoded. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

/** One constraint of one field of one operation: an input that keeps it, if only just, and one that breaks it. */
export interface ConstraintCase {
  readonly operation: string
  /** `Records.1.member.Data`. */
  readonly field: string
  /** `min 1`, `pattern …`, `required`. */
  readonly constraint: string
  readonly accepted?: Json
  readonly refused?: Json
}

/** Every constraint of every field that a client may send, from the model alone: what is added there has its case. */
export function constraintCases(model: ServiceModel): readonly ConstraintCase[] {
  return Object.entries(model.operations).flatMap(([operation, { input }]) => {
    if (input === undefined) return []
    const whole = fullSample(model, input)
    return fieldCases(model, input, '', (value) => value, whole).map((found) => ({ operation, ...found }))
  })
}

/** An input with every member at an accepted value. */
export function fullSample(model: ServiceModel, shapeName: string): Json {
  const shape = shapeOf(model, shapeName)
  switch (shape.type) {
    case 'structure':
      return mapMembers(shape.members, (member) => fullSample(model, member.shape))
    case 'list':
      return Array.from({ length: Math.max(shape.min ?? 1, 1) }, () => fullSample(model, shape.member.shape))
    case 'map':
      return mapSample(model, shape, Math.max(shape.min ?? 1, 1))
    case 'string':
      return shape.enum?.[0] ?? patternSample(shape.pattern) ?? text(Math.max(shape.min ?? 1, 1))
    case 'blob':
      return base64(Math.max(shape.min ?? 0, 1))
    case 'boolean':
      return true
    case 'timestamp':
      return 1_700_000_000.123
    case 'integer':
    case 'long':
    case 'double':
      return shape.min ?? 1
  }
}

type FieldCase = Omit<ConstraintCase, 'operation'>

function fieldCases(
  model: ServiceModel,
  shapeName: string,
  field: string,
  place: (value: Json | undefined) => Json | undefined,
  sample: Json,
): readonly FieldCase[] {
  const shape = shapeOf(model, shapeName)
  const own = ownCases(model, shape).map(({ constraint, accepted, refused }) => ({
    field,
    constraint,
    ...(accepted !== undefined && { accepted: place(accepted) as Json }),
    ...(refused !== undefined && { refused: place(refused) as Json }),
  }))
  const inner = innerFields(shape, sample).flatMap(({ name, member, put, value, required }) => {
    const innerField = field === '' ? name : `${field}.${name}`
    const placed = (one: Json | undefined) => place(put(one))
    const missing = placed(undefined)
    const must =
      required && missing !== undefined
        ? [{ field: innerField, constraint: 'required', refused: missing }]
        : []
    return [...must, ...fieldCases(model, member.shape, innerField, placed, value)]
  })
  return [...own, ...inner]
}

interface InnerField {
  readonly name: string
  readonly member: Member
  readonly value: Json
  readonly required: boolean
  /** The whole with this inner value in place of the sample's. */
  put(value: Json | undefined): Json
}

function innerFields(shape: Shape, sample: Json): readonly InnerField[] {
  if (shape.type === 'structure') {
    const whole = sample as { [name: string]: Json }
    return Object.entries(shape.members).map(([name, member]) => ({
      name,
      member,
      value: whole[name] as Json,
      required: shape.required?.includes(name) === true,
      put: (value) => {
        const { [name]: _, ...rest } = whole
        return value === undefined ? rest : { ...rest, [name]: value }
      },
    }))
  }
  if (shape.type === 'list') {
    const [first, ...rest] = sample as Json[]
    const put = (value: Json | undefined) => [value ?? null, ...rest]
    return [{ name: '1.member', member: shape.member, value: first as Json, required: true, put }]
  }
  if (shape.type === 'map') {
    const [[key, value] = ['', null], ...rest] = Object.entries(sample as { [name: string]: Json })
    const others = Object.fromEntries(rest)
    return [
      {
        name: 'key',
        member: shape.key,
        value: key,
        required: false,
        put: (one) => ({ ...others, [String(one)]: value }),
      },
      {
        name: 'value',
        member: shape.value,
        value,
        required: true,
        put: (one) => ({ ...others, [key]: one ?? null }),
      },
    ]
  }
  return []
}

interface OwnCase {
  readonly constraint: string
  readonly accepted?: Json
  readonly refused?: Json
}

function ownCases(model: ServiceModel, shape: Shape): readonly OwnCase[] {
  const cases: OwnCase[] = []
  if (shape.type === 'string') {
    for (const one of shape.enum ?? []) cases.push({ constraint: `enum ${one}`, accepted: one })
    if (shape.enum !== undefined) cases.push({ constraint: 'enum', refused: 'No-Such-Value' })
    if (shape.pattern !== undefined) {
      const sample = patternSample(shape.pattern) as string
      cases.push({
        constraint: `pattern ${shape.pattern}`,
        accepted: sample,
        refused: `${sample.slice(0, -1)} !`,
      })
    }
  }
  if ('min' in shape && shape.min !== undefined && shape.min > lowest(shape))
    cases.push({ constraint: `min ${shape.min}`, ...boundary(model, shape, shape.min, -1) })
  if ('max' in shape && shape.max !== undefined)
    cases.push({ constraint: `max ${shape.max}`, ...boundary(model, shape, shape.max, 1) })
  return cases
}

/** Below which nothing can be: a length of 0. */
function lowest(shape: Shape): number {
  return ['integer', 'long', 'double'].includes(shape.type) ? Number.NEGATIVE_INFINITY : 0
}

function boundary(
  model: ServiceModel,
  shape: Shape,
  limit: number,
  step: number,
): Omit<OwnCase, 'constraint'> {
  const refused = ofMeasure(model, shape, limit + step)
  const accepted = ofMeasure(model, shape, limit)
  const fits =
    shape.type !== 'string' ||
    shape.pattern === undefined ||
    new RegExp(`^(?:${shape.pattern})$`).test(accepted as string)
  // Such as a text of one character that is an ARN: the pattern asks for more, and the refused one is refused for both.
  return fits ? { accepted, refused } : { refused }
}

function ofMeasure(model: ServiceModel, shape: Shape, measure: number): Json {
  switch (shape.type) {
    case 'string': {
      const sample = patternSample(shape.pattern) ?? ''
      return sample.slice(0, measure).padEnd(measure, sample.at(-1) ?? 'a')
    }
    case 'blob':
      return base64(measure)
    case 'list':
      return Array.from({ length: measure }, () => fullSample(model, shape.member.shape))
    case 'map':
      return mapSample(model, shape, measure)
    default:
      return measure
  }
}

function mapSample(model: ServiceModel, shape: Extract<Shape, { type: 'map' }>, size: number): Json {
  const key = shapeOf(model, shape.key.shape)
  const names = key.type === 'string' && key.enum !== undefined ? key.enum : []
  return Object.fromEntries(
    Array.from({ length: size }, (_, index) => [
      names[index] ?? `key-${index}`,
      fullSample(model, shape.value.shape),
    ]),
  )
}

/** Drawing one takes milliseconds, and a model's cases ask for the same ones thousands of times. */
const patternSamples = new Map<string, string>()

/** One text a pattern, always the same. */
function patternSample(pattern: string | undefined): string | undefined {
  if (pattern === undefined) return undefined
  const known = patternSamples.get(pattern)
  if (known !== undefined) return known
  // A `.*` of a pattern draws any character; plain ones are enough here.
  const plain = pattern.replaceAll('.*', '[a-z]{0,3}').replaceAll('\\S+', '[a-z]{1,8}')
  const [sample = ''] = fc.sample(fc.stringMatching(new RegExp(`^(?:${plain})$`)), { seed: 1, numRuns: 1 })
  patternSamples.set(pattern, sample)
  return sample
}

function mapMembers(members: { readonly [name: string]: Member }, sample: (member: Member) => Json): Json {
  return Object.fromEntries(Object.entries(members).map(([name, member]) => [name, sample(member)]))
}

function shapeOf(model: ServiceModel, name: string): Shape {
  const shape = model.shapes[name]
  if (shape === undefined) throw new Error(`${name} is no shape of the model`)
  return shape
}

const text = (length: number) => 'a'.repeat(length)
const base64 = (bytes: number) => Buffer.alloc(bytes, 7).toString('base64')
