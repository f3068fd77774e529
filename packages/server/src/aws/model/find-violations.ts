import type { AwsStructure, AwsValue } from '../aws-service.ts'
import type { Member, ServiceModel, Shape } from './service-model.ts'
import { shapeOf } from './shape-of.ts'

/** A constraint of the model that an input breaks. */
export interface Violation {
  /** Names of the model, and places in lists from 1: `['Records', '1', 'member', 'Data']`. */
  readonly path: readonly string[]
  /** Undefined: a required member that is not there. */
  readonly value: AwsValue | undefined
  readonly shapeName: string
  readonly rule: 'required' | 'enum' | 'pattern' | 'length' | 'range' | 'members' | 'keys' | 'values'
  /** In the words of the service: `Member must not be null`. */
  readonly constraint: string
}

/** The service names ten at most; so does this (I6). */
const MAX_VIOLATIONS = 10
const NOT_NULL = 'Member must not be null'

/** What the constraints of the model have against an input of the right types, in the order of the model's members. */
export function findViolations(
  model: ServiceModel,
  shapeName: string,
  input: AwsStructure,
): readonly Violation[] {
  const found = new Search(model)
  found.structure(shapeName, input, [])
  return found.violations
}

class Search {
  readonly violations: Violation[] = []
  readonly #model: ServiceModel

  constructor(model: ServiceModel) {
    this.#model = model
  }

  structure(shapeName: string, value: AwsStructure, path: readonly string[]): void {
    const shape = shapeOf(this.#model, shapeName)
    if (shape.type !== 'structure') throw new Error(`${shapeName} is no structure of the model`)
    for (const [name, member] of Object.entries(shape.members)) {
      const inner = value[name]
      if (inner !== undefined && inner !== null) this.#value(member, inner, [...path, name])
      else if (shape.required?.includes(name) === true)
        this.#add([...path, name], undefined, member.shape, 'required', NOT_NULL)
    }
  }

  #value({ shape: shapeName }: Member, value: AwsValue, path: readonly string[]): void {
    if (this.violations.length >= MAX_VIOLATIONS) return
    const shape = shapeOf(this.#model, shapeName)
    for (const { rule, constraint } of brokenConstraints(shape, value))
      this.#add(path, value, shapeName, rule, constraint)
    if (shape.type === 'structure') this.structure(shapeName, value as AwsStructure, path)
    if (shape.type === 'list') this.#list(shapeName, shape.member, value as readonly AwsValue[], path)
    if (shape.type === 'map') {
      const entries = value as AwsStructure
      this.#simple('keys', shapeName, shape.key, Object.keys(entries), entries, path)
      if (isNested(shapeOf(this.#model, shape.value.shape))) this.#nestedValues(shape.value, entries, path)
      else this.#simple('values', shapeName, shape.value, Object.values(entries), entries, path)
    }
  }

  #list(shapeName: string, member: Member, items: readonly AwsValue[], path: readonly string[]): void {
    if (!isNested(shapeOf(this.#model, member.shape))) {
      this.#simple('members', shapeName, member, items, items, path)
      return
    }
    for (const [index, item] of items.entries()) {
      if (this.violations.length >= MAX_VIOLATIONS) return
      this.#item(member, item, [...path, String(index + 1), 'member'])
    }
  }

  #nestedValues(member: Member, entries: AwsStructure, path: readonly string[]): void {
    for (const [key, item] of Object.entries(entries)) {
      if (this.violations.length >= MAX_VIOLATIONS) return
      this.#item(member, item, [...path, key, 'member'])
    }
  }

  #item(member: Member, item: AwsValue | undefined, path: readonly string[]): void {
    if (item === null || item === undefined) this.#add(path, undefined, member.shape, 'required', NOT_NULL)
    else this.#value(member, item, path)
  }

  /** One violation for all plain members of a list or a map: the service names the whole of it. */
  #simple(
    rule: 'members' | 'keys' | 'values',
    shapeName: string,
    { shape: memberShape }: Member,
    items: readonly (AwsValue | undefined)[],
    whole: AwsValue,
    path: readonly string[],
  ): void {
    const shape = shapeOf(this.#model, memberShape)
    const broken = items.some(
      (item) => item === undefined || item === null || brokenConstraints(shape, item).length > 0,
    )
    if (!broken) return
    const subject = { members: 'Member', keys: 'Map keys', values: 'Map value' }[rule]
    const texts = constraintTexts(shape)
    const all = (texts.length === 0 ? [NOT_NULL] : texts).join(', ')
    this.#add(path, whole, shapeName, rule, `${subject} must satisfy constraint: [${all}]`)
  }

  #add(
    path: readonly string[],
    value: AwsValue | undefined,
    shapeName: string,
    rule: Violation['rule'],
    constraint: string,
  ): void {
    if (this.violations.length < MAX_VIOLATIONS)
      this.violations.push({ path, value, shapeName, rule, constraint })
  }
}

function isNested(shape: Shape): boolean {
  return shape.type === 'structure' || shape.type === 'list' || shape.type === 'map'
}

type Broken = Pick<Violation, 'rule' | 'constraint'>

function brokenConstraints(shape: Shape, value: AwsValue): readonly Broken[] {
  const broken: Broken[] = []
  if (shape.type === 'string') {
    const text = value as string
    if (shape.enum?.includes(text) === false) broken.push({ rule: 'enum', constraint: enumText(shape.enum) })
    // A text that is too long anyway is not handed to the pattern: its time grows with more than the length.
    if (shape.pattern !== undefined && text.length <= (shape.max ?? Number.POSITIVE_INFINITY)) {
      if (!wholePattern(shape.pattern).test(text))
        broken.push({ rule: 'pattern', constraint: patternText(shape.pattern) })
    }
  }
  const [quality, measure] = measureOf(shape, value)
  if (quality === undefined || !('min' in shape || 'max' in shape)) return broken
  const rule = quality === 'value' ? 'range' : 'length'
  if (shape.min !== undefined && measure < shape.min)
    broken.push({ rule, constraint: leastText(quality, shape.min) })
  if (shape.max !== undefined && measure > shape.max)
    broken.push({ rule, constraint: mostText(quality, shape.max) })
  return broken
}

/** What `min` and `max` of a shape count. Characters are those of Java and of JavaScript: UTF-16 units. */
function measureOf(shape: Shape, value: AwsValue): readonly ['value' | 'length' | undefined, number] {
  switch (shape.type) {
    case 'integer':
    case 'long':
    case 'double':
      return ['value', value as number]
    case 'string':
    case 'blob':
    case 'list':
      return ['length', (value as string | Uint8Array | readonly AwsValue[]).length]
    case 'map':
      return ['length', Object.keys(value as AwsStructure).length]
    case 'boolean':
    case 'timestamp':
    case 'structure':
      return [undefined, 0]
  }
}

function constraintTexts(shape: Shape): readonly string[] {
  const texts: string[] = []
  const quality = measureOf(shape, '')[0] === 'value' ? 'value' : 'length'
  if ('max' in shape && shape.max !== undefined) texts.push(mostText(quality, shape.max))
  if ('min' in shape && shape.min !== undefined) texts.push(leastText(quality, shape.min))
  if (shape.type === 'string' && shape.pattern !== undefined) texts.push(patternText(shape.pattern))
  if (shape.type === 'string' && shape.enum !== undefined) texts.push(enumText(shape.enum))
  return texts
}

const enumText = (values: readonly string[]) => `Member must satisfy enum value set: [${values.join(', ')}]`
const patternText = (pattern: string) => `Member must satisfy regular expression pattern: ${pattern}`
const leastText = (quality: string, min: number) =>
  `Member must have ${quality} greater than or equal to ${min}`
const mostText = (quality: string, max: number) => `Member must have ${quality} less than or equal to ${max}`

const PATTERNS = new Map<string, RegExp>()

/** The service matches the whole of a text. */
function wholePattern(pattern: string): RegExp {
  let compiled = PATTERNS.get(pattern)
  if (compiled === undefined) {
    compiled = new RegExp(`^(?:${pattern})$`)
    PATTERNS.set(pattern, compiled)
  }
  return compiled
}
