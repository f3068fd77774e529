import { InvalidOptionError } from '../errors/request-errors.ts'
import type { EddyEvent } from '../model/event.ts'
import type { EventFilter, FilterTest } from '../model/filter.ts'
import { checkObject, checkOneOf } from '../model/option-checks.ts'

const MAX_FILTER_CHARACTERS = 4_096
const MAX_FILTER_DEPTH = 10
const OPERATORS = ['=', '<', '<=', '>', '>='] as const
const TESTS = ['prefix', 'suffix', 'anything-but', 'numeric', 'exists']

type Operator = (typeof OPERATORS)[number]
/** `value` is undefined when the field is missing. */
type Matcher = (value: unknown) => boolean

/**
 * Compiles a filter to a predicate with the semantics of Lambda and EventBridge patterns.
 *
 * Every named field must pass; one test of its list is enough; where the event has an array, one element is enough.
 * A missing field passes `{ exists: false }` and nothing else. Comparison is by type: `"5"` is not `5`. Under a
 * missing or plain parent, nested fields are missing. Only own properties of the event count.
 *
 * @param path - how the author would write where the filter stands, for error messages
 * @throws InvalidOptionError when the filter is over 4,096 characters of JSON or 10 levels, or names an unknown test
 */
export function compileFilter(filter: EventFilter, path = 'filter'): (event: EddyEvent) => boolean {
  checkSize(filter, path)
  return compileFields(filter, path, 1)
}

function checkSize(filter: unknown, path: string): void {
  let characters: number
  try {
    characters = (JSON.stringify(filter) ?? '').length
  } catch {
    throw new InvalidOptionError(path, 'a filter of plain data', 'a value that JSON cannot hold')
  }
  if (characters > MAX_FILTER_CHARACTERS) {
    throw new InvalidOptionError(
      path,
      `a filter of at most ${MAX_FILTER_CHARACTERS} characters of JSON`,
      `${characters} characters`,
    )
  }
}

function compileFields(filter: unknown, path: string, depth: number): Matcher {
  if (typeof filter !== 'object' || filter === null || Array.isArray(filter)) {
    throw new InvalidOptionError(path, 'an object of fields', filter)
  }
  if (depth > MAX_FILTER_DEPTH) {
    throw new InvalidOptionError(path, `at most ${MAX_FILTER_DEPTH} levels of fields`, filter)
  }
  const fields = Object.entries(filter).map(([name, pattern]): readonly [string, Matcher] => [
    name,
    Array.isArray(pattern)
      ? compileTests(pattern, `${path}.${name}`)
      : compileFields(pattern, `${path}.${name}`, depth + 1),
  ])
  if (fields.length === 0) throw new InvalidOptionError(path, 'at least one field', filter)
  const matchesObject = (object: unknown): boolean =>
    fields.every(([name, matches]) => matches(fieldOf(object, name)))
  return (value) => (Array.isArray(value) ? value.some(matchesObject) : matchesObject(value))
}

function fieldOf(object: unknown, name: string): unknown {
  if (typeof object !== 'object' || object === null || Array.isArray(object)) return undefined
  return Object.hasOwn(object, name) ? (object as Record<string, unknown>)[name] : undefined
}

function compileTests(tests: readonly unknown[], path: string): Matcher {
  if (tests.length === 0) throw new InvalidOptionError(path, 'at least one test', tests)
  const matchers = tests.map((test, index) => compileTest(test as FilterTest, `${path}[${index}]`))
  return (value) => matchers.some((matches) => matches(value))
}

function compileTest(test: FilterTest, path: string): Matcher {
  if (isPlain(test)) return anyElement((value) => value === test)
  const from = checkObject(path, test, TESTS, 'a value or a test')
  const names = Object.keys(from)
  const [name] = names
  if (name === undefined || names.length > 1) {
    throw new InvalidOptionError(path, `exactly one of ${TESTS.join(', ')}`, test)
  }
  const argument = from[name]
  switch (name) {
    case 'prefix': {
      const prefix = checkString(`${path}.prefix`, argument)
      return anyElement((value) => typeof value === 'string' && value.startsWith(prefix))
    }
    case 'suffix': {
      const suffix = checkString(`${path}.suffix`, argument)
      return anyElement((value) => typeof value === 'string' && value.endsWith(suffix))
    }
    case 'anything-but':
      return compileAnythingBut(argument, `${path}.anything-but`)
    case 'numeric':
      return compileNumeric(argument, `${path}.numeric`)
    default: {
      if (typeof argument !== 'boolean') throw new InvalidOptionError(`${path}.exists`, 'a boolean', argument)
      return (value) => (value !== undefined) === argument
    }
  }
}

function compileAnythingBut(argument: unknown, path: string): Matcher {
  const list: readonly unknown[] = Array.isArray(argument) ? argument : [argument]
  if (list.length === 0 || !list.every((entry) => typeof entry === 'string' || isFiniteNumber(entry))) {
    throw new InvalidOptionError(path, 'a string, a number, or a list of them', argument)
  }
  const refused = new Set<unknown>(list)
  return anyElement((value) => isPlain(value) && !refused.has(value))
}

function compileNumeric(argument: unknown, path: string): Matcher {
  const expected = 'an operator and a number, or two such pairs, as in [">=", 0, "<", 100]'
  if (!Array.isArray(argument) || (argument.length !== 2 && argument.length !== 4)) {
    throw new InvalidOptionError(path, expected, argument)
  }
  const comparisons: ((value: number) => boolean)[] = []
  for (let index = 0; index < argument.length; index += 2) {
    const operator = checkOneOf(`${path}[${index}]`, argument[index], OPERATORS)
    const bound: unknown = argument[index + 1]
    if (!isFiniteNumber(bound)) throw new InvalidOptionError(`${path}[${index + 1}]`, 'a number', bound)
    comparisons.push(comparison(operator, bound))
  }
  return anyElement((value) => isFiniteNumber(value) && comparisons.every((holds) => holds(value)))
}

function comparison(operator: Operator, bound: number): (value: number) => boolean {
  switch (operator) {
    case '=':
      return (value) => value === bound
    case '<':
      return (value) => value < bound
    case '<=':
      return (value) => value <= bound
    case '>':
      return (value) => value > bound
    case '>=':
      return (value) => value >= bound
  }
}

function anyElement(matches: Matcher): Matcher {
  return (value) => (Array.isArray(value) ? value.some(matches) : matches(value))
}

function isPlain(value: unknown): value is string | number | boolean | null {
  return value === null || typeof value === 'string' || typeof value === 'boolean' || isFiniteNumber(value)
}

function isFiniteNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function checkString(path: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value
  throw new InvalidOptionError(path, 'a string that is not empty', value)
}
