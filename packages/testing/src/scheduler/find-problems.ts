import type { Member, ServiceModel, Shape } from './service-model.ts'

/** The service names ten at most; so does this. */
const MAX_PROBLEMS = 10

/** What the model has against a value, each in words with its place: `target.roleArn: …`. Members it does not know count, too. */
export function findProblems(model: ServiceModel, shapeName: string, value: unknown): readonly string[] {
  const problems: string[] = []
  check(model, { shape: shapeName }, value, '', problems)
  return problems.slice(0, MAX_PROBLEMS)
}

function check(model: ServiceModel, member: Member, value: unknown, place: string, problems: string[]): void {
  if (problems.length >= MAX_PROBLEMS) return
  const shape = model.shapes[member.shape]
  if (shape === undefined) throw new Error(`${member.shape} is no shape of the model of ${model.name}`)
  const type = typeProblem(shape, value)
  if (type !== undefined) {
    problems.push(`Value at '${place}' failed to satisfy constraint: ${type}`)
    return
  }
  for (const problem of constraintProblems(shape, value))
    problems.push(`Value at '${place}' failed to satisfy constraint: ${problem}`)
  if (shape.type === 'structure') checkMembers(model, shape, value as Structure, place, problems)
  if (shape.type === 'list')
    for (const [index, item] of (value as readonly unknown[]).entries())
      check(model, shape.member, item, `${place}.${index + 1}.member`, problems)
  if (shape.type === 'map')
    for (const [key, item] of Object.entries(value as Structure)) {
      check(model, shape.key, key, `${place}.key`, problems)
      check(model, shape.value, item, `${place}.${key}`, problems)
    }
}

type Structure = Readonly<Record<string, unknown>>

function checkMembers(
  model: ServiceModel,
  shape: Extract<Shape, { type: 'structure' }>,
  value: Structure,
  place: string,
  problems: string[],
): void {
  const inner = (name: string): string => {
    const camel = `${name[0]?.toLowerCase()}${name.slice(1)}`
    return place === '' ? camel : `${place}.${camel}`
  }
  for (const name of Object.keys(value))
    if (!Object.hasOwn(shape.members, name))
      problems.push(`Value at '${inner(name)}' is no member of the model`)
  for (const [name, member] of Object.entries(shape.members)) {
    const given = value[name] ?? undefined
    if (given !== undefined) check(model, member, given, inner(name), problems)
    else if (shape.required?.includes(name) === true)
      problems.push(`Value null at '${inner(name)}' failed to satisfy constraint: Member must not be null`)
  }
}

function typeProblem(shape: Shape, value: unknown): string | undefined {
  const isRight = {
    boolean: typeof value === 'boolean',
    double: typeof value === 'number',
    float: typeof value === 'number',
    integer: Number.isInteger(value),
    list: Array.isArray(value),
    long: Number.isInteger(value),
    map: isObject(value),
    string: typeof value === 'string',
    structure: isObject(value),
    timestamp: typeof value === 'number',
  }[shape.type]
  return isRight ? undefined : `Member must be a ${shape.type}`
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function constraintProblems(shape: Shape, value: unknown): readonly string[] {
  const problems: string[] = []
  if (shape.type === 'string') {
    const text = value as string
    if (shape.enum?.includes(text) === false)
      problems.push(`Member must satisfy enum value set: [${shape.enum.join(', ')}]`)
    if (shape.pattern !== undefined && !new RegExp(`^(?:${shape.pattern})$`).test(text))
      problems.push(`Member must satisfy regular expression pattern: ${shape.pattern}`)
  }
  if (!('min' in shape || 'max' in shape)) return problems
  const isNumber = typeof value === 'number'
  const measure = isNumber ? value : (value as string | readonly unknown[]).length
  const quality = isNumber ? 'value' : 'length'
  if (shape.min !== undefined && measure < shape.min)
    problems.push(`Member must have ${quality} greater than or equal to ${shape.min}`)
  if (shape.max !== undefined && measure > shape.max)
    problems.push(`Member must have ${quality} less than or equal to ${shape.max}`)
  return problems
}
