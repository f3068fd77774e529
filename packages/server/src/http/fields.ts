import { InvalidOptionError } from '@eddy/core'

/** Named values of a request: the members of a JSON body, or query parameters. */
export type Fields = Readonly<Record<string, unknown>>

/** Refuses names that are not known, so that a typing error is never taken for a default. */
export function onlyKnown(fields: Fields, known: readonly string[], where: string): void {
  for (const name of Object.keys(fields)) {
    if (!known.includes(name)) {
      throw new InvalidOptionError(
        `${where}"${name}"`,
        known.length === 0 ? 'no such name' : `one of ${known.join(', ')}`,
        fields[name],
      )
    }
  }
}

/** Text of 1 to `max` characters (default 1,024). */
export function text(
  fields: Fields,
  name: string,
  options: { readonly max?: number; readonly pattern?: RegExp; readonly expected?: string } = {},
): string | undefined {
  const value = fields[name]
  if (value === undefined) return undefined
  const max = options.max ?? 1_024
  if (
    typeof value !== 'string' ||
    value === '' ||
    value.length > max ||
    options.pattern?.test(value) === false
  ) {
    throw new InvalidOptionError(name, options.expected ?? `text of 1 to ${max} characters`, value)
  }
  return value
}

export function required<T>(value: T | undefined, name: string, expected: string): T {
  if (value === undefined) throw new InvalidOptionError(name, expected, undefined)
  return value
}

export function integer(
  fields: Fields,
  name: string,
  range: { readonly min: number; readonly max: number },
): number | undefined {
  const value = fields[name]
  if (value === undefined) return undefined
  if (!Number.isSafeInteger(value) || (value as number) < range.min || (value as number) > range.max) {
    throw new InvalidOptionError(name, `a whole number from ${range.min} to ${range.max}`, value)
  }
  return value as number
}

export function flag(fields: Fields, name: string): boolean | undefined {
  const value = fields[name]
  if (value !== undefined && typeof value !== 'boolean') {
    throw new InvalidOptionError(name, 'true or false', value)
  }
  return value
}

export function choice<T extends string>(fields: Fields, name: string, values: readonly T[]): T | undefined {
  const value = fields[name]
  if (value === undefined) return undefined
  if (!values.includes(value as T)) throw new InvalidOptionError(name, `one of ${values.join(', ')}`, value)
  return value as T
}

/** Leaves out what is undefined: an absent option and an undefined one are not the same to a type checker. */
export function defined<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  // Called for every record: without lists of entries.
  const kept: { [K in keyof T]?: Exclude<T[K], undefined> } = {}
  for (const name of Object.keys(value) as (keyof T)[]) {
    const member = value[name]
    if (member !== undefined) kept[name] = member as Exclude<T[typeof name], undefined>
  }
  return kept
}
