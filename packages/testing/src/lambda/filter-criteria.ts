/** `FilterCriteria` of an event source mapping: patterns as JSON text. */
export interface FilterCriteria {
  /** 1 to 5 patterns of up to 4,096 characters; a record that matches one of them passes. */
  readonly filters: readonly { readonly pattern: string }[]
}

const MAX_FILTERS = 5
const MAX_PATTERN_CHARACTERS = 4_096

/**
 * Compiles filter criteria to a predicate over what a pattern may look at: `{ data }` of a Kinesis record, `{ body }` of
 * an SQS message.
 *
 * Rules (Lambda developer guide, "Control which events Lambda sends to your function"): filters are ORed; a pattern of
 * JSON drops what is not JSON; a pattern of plain text drops what is JSON. Operators: equal (text, number, null, empty),
 * `anything-but`, `numeric`, `exists`, `prefix`, `suffix`, `equals-ignore-case`, `$or`.
 *
 * @throws RangeError for criteria that the service refuses
 */
export function compileFilters(criteria: FilterCriteria): (field: 'data' | 'body', text: string) => boolean {
  const { filters } = criteria
  if (filters.length < 1 || filters.length > MAX_FILTERS) {
    throw new RangeError(`filters: expected 1 to ${MAX_FILTERS}, received ${filters.length}`)
  }
  const patterns = filters.map(({ pattern }) => {
    if (pattern.length > MAX_PATTERN_CHARACTERS) {
      throw new RangeError(
        `pattern: expected up to ${MAX_PATTERN_CHARACTERS} characters, received ${pattern.length}`,
      )
    }
    const parsed = parsedJson(pattern)
    if (!isObject(parsed))
      throw new RangeError(`pattern: expected a JSON object, received ${pattern.slice(0, 100)}`)
    return parsed
  })
  return (field, text) => patterns.some((pattern) => matchesField(pattern[field], text))
}

function matchesField(pattern: unknown, text: string): boolean {
  // A pattern that says nothing of this field lets everything pass.
  if (pattern === undefined) return true
  const value = parsedJson(text)
  const isJson = isObject(value)
  if (Array.isArray(pattern)) return !isJson && pattern.some((test) => matchesValue(test, text, true))
  return isJson && isObject(pattern) && matchesObject(pattern, value)
}

function matchesObject(
  pattern: Readonly<Record<string, unknown>>,
  value: Readonly<Record<string, unknown>>,
): boolean {
  return Object.entries(pattern).every(([name, tests]) => {
    if (name === '$or' && Array.isArray(tests)) {
      return tests.some((branch) => isObject(branch) && matchesObject(branch, value))
    }
    const has = Object.hasOwn(value, name)
    const found = value[name]
    if (Array.isArray(tests)) {
      // A list matches when one of its elements does.
      const candidates = Array.isArray(found) ? found : [found]
      return tests.some((test) => candidates.some((candidate) => matchesValue(test, candidate, has)))
    }
    return isObject(tests) && isObject(found) && matchesObject(tests, found)
  })
}

function matchesValue(test: unknown, value: unknown, has: boolean): boolean {
  if (!isObject(test)) return has && test === value
  const [operator, operand] = Object.entries(test)[0] ?? []
  switch (operator) {
    case 'exists':
      return operand === (has && !isObject(value))
    case 'prefix':
      return typeof value === 'string' && value.startsWith(String(operand))
    case 'suffix':
      return typeof value === 'string' && value.endsWith(String(operand))
    case 'equals-ignore-case':
      return typeof value === 'string' && value.toLowerCase() === String(operand).toLowerCase()
    case 'anything-but':
      return has && !isAnyOf(operand, value)
    case 'numeric':
      return typeof value === 'number' && Array.isArray(operand) && matchesNumbers(operand, value)
    default:
      throw new RangeError(`pattern: there is no operator ${JSON.stringify(operator)}`)
  }
}

function isAnyOf(operand: unknown, value: unknown): boolean {
  if (Array.isArray(operand)) return operand.includes(value)
  return isObject(operand) ? matchesValue(operand, value, true) : operand === value
}

/** `[">", 0, "<=", 5]`: all of the comparisons hold. */
function matchesNumbers(comparisons: readonly unknown[], value: number): boolean {
  for (let index = 0; index < comparisons.length; index += 2) {
    if (!compares(comparisons[index], value, Number(comparisons[index + 1]))) return false
  }
  return comparisons.length > 0
}

function compares(operator: unknown, value: number, bound: number): boolean {
  switch (operator) {
    case '=':
      return value === bound
    case '>':
      return value > bound
    case '>=':
      return value >= bound
    case '<':
      return value < bound
    case '<=':
      return value <= bound
    default:
      throw new RangeError(`numeric: there is no comparison ${JSON.stringify(operator)}`)
  }
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
