import { InvalidOptionError } from '../errors/request-errors.ts'

/** Each check names the option by its whole path, as the author would write it, and throws InvalidOptionError. */

export function checkObject(
  path: string,
  value: unknown,
  known: readonly string[],
  expected = 'an object of options',
): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidOptionError(path, expected, value)
  }
  for (const name of Object.keys(value)) {
    if (known.includes(name)) continue
    throw new InvalidOptionError(
      `${path}.${name}`,
      `no option of this name (${suggestion(name, known)})`,
      (value as Record<string, unknown>)[name],
    )
  }
  return value as Record<string, unknown>
}

export function checkInteger(path: string, value: unknown, low: number, high: number): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= low && value <= high) return value
  throw new InvalidOptionError(path, `an integer from ${low} to ${high}`, value)
}

export function checkNumber(path: string, value: unknown, low: number, high: number): number {
  if (typeof value === 'number' && value >= low && value <= high) return value
  throw new InvalidOptionError(path, `a number from ${low} to ${high}`, value)
}

export function checkBoolean(path: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw new InvalidOptionError(path, 'true or false', value)
  return value
}

export function checkOneOf<T extends string>(path: string, value: unknown, choices: readonly T[]): T {
  if (choices.includes(value as T)) return value as T
  const listed = choices.map((choice) => `'${choice}'`).join(', ')
  const close = typeof value === 'string' ? nearest(value, choices) : undefined
  const hint = close === undefined ? '' : ` (did you mean '${close}'?)`
  throw new InvalidOptionError(
    path,
    choices.length === 1 ? `${listed}${hint}` : `one of ${listed}${hint}`,
    value,
  )
}

export function checkFunction<T>(path: string, value: T): T {
  if (typeof value === 'function') return value
  throw new InvalidOptionError(path, 'a function', value)
}

export function checkText(path: string, value: unknown, maxCharacters: number): string {
  if (typeof value === 'string' && value.length >= 1 && value.length <= maxCharacters) return value
  throw new InvalidOptionError(path, `1 to ${maxCharacters} characters`, value)
}

/** Names of streams and subscriptions: they stand in table keys, queue names and URL paths. */
export function checkName(path: string, value: unknown): string {
  if (typeof value === 'string' && /^(?!\.+$)[a-zA-Z0-9_.-]{1,128}$/.test(value)) return value
  throw new InvalidOptionError(path, 'a name of 1 to 128 characters of a-z A-Z 0-9 _ . -', value)
}

function suggestion(name: string, known: readonly string[]): string {
  const close = nearest(name, known)
  return close === undefined ? `there are ${known.join(', ')}` : `did you mean "${close}"?`
}

/** The known name that is at most a third of its letters away. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (name.length > 64) return undefined
  let best: string | undefined
  let bestDistance = Number.POSITIVE_INFINITY
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance && distance <= Math.max(1, Math.floor(candidate.length / 3))) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= b.length; column += 1) {
      const substituted = (previous[column - 1] as number) + (a[row - 1] === b[column - 1] ? 0 : 1)
      current.push(
        Math.min(substituted, (previous[column] as number) + 1, (current[column - 1] as number) + 1),
      )
    }
    previous = current
  }
  return previous[b.length] as number
}
