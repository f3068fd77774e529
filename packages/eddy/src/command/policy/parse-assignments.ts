import { UsageError } from '../command-errors.ts'

/**
 * `path=value` each: the value as JSON, or the text as it is (`failure.blocks=key`).
 * @throws UsageError
 */
export function parseAssignments(texts: readonly string[]): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  for (const text of texts) {
    const at = text.indexOf('=')
    if (at <= 0) {
      throw new UsageError(`expected path=value such as concurrency=8, received ${JSON.stringify(text)}`)
    }
    const path = text.slice(0, at)
    if (path in values) throw new UsageError(`${path} is given twice`)
    values[path] = parseValue(path, text.slice(at + 1))
  }
  return values
}

function parseValue(path: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    // A word needs no quotation marks; what was to be more must be right.
    if (/^[\w-]+$/.test(text)) return text
    throw new UsageError(`${path}: expected JSON or a word, received ${JSON.stringify(text)}`)
  }
}

/** A policy as JSON, from a file or standard input. @throws UsageError */
export function parsePolicy(name: string, text: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new UsageError(`${name} is not JSON: ${(error as Error).message}`)
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>
  }
  throw new UsageError(`${name}: expected an object of the policy's parts`)
}
