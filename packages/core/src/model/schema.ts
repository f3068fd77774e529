import type { StandardSchemaV1 } from '@standard-schema/spec'
import { SchemaMismatchError } from '../errors/handler-errors.ts'
import { InvalidOptionError } from '../errors/request-errors.ts'

const MAX_ISSUES = 10
const MAX_PROBLEM_CHARACTERS = 1_000

/**
 * Checks an event's data against a Standard Schema.
 *
 * @returns the schema's output (which may differ from the input: defaults, coercions); a promise only when the schema
 * is asynchronous
 * @throws SchemaMismatchError with the first 10 issues. An error that the schema itself throws is passed on: it is a
 * failure like any other, not a verdict over the data.
 */
export function validateData<Data>(
  schema: StandardSchemaV1<unknown, Data>,
  data: unknown,
): Data | Promise<Data> {
  const result = schema['~standard'].validate(data)
  return isPromise(result) ? result.then(outputOf) : outputOf(result)
}

/** @throws InvalidOptionError for what is no Standard Schema */
export function checkSchema<S>(path: string, schema: S): S {
  // Some libraries' schemas are functions.
  const holder = typeof schema === 'object' || typeof schema === 'function' ? schema : undefined
  const standard = (holder as { '~standard'?: { validate?: unknown } } | null | undefined)?.['~standard']
  if (typeof standard?.validate === 'function') return schema
  throw new InvalidOptionError(path, 'a Standard Schema (an object with "~standard".validate)', schema)
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | null)?.then === 'function'
}

function outputOf<Data>(result: StandardSchemaV1.Result<Data>): Data {
  if (result.issues === undefined) return result.value
  throw new SchemaMismatchError(describeIssues(result.issues))
}

function describeIssues(issues: readonly StandardSchemaV1.Issue[]): string {
  const shown = issues.slice(0, MAX_ISSUES).map(describeIssue).join('; ')
  const rest = issues.length > MAX_ISSUES ? `; and ${issues.length - MAX_ISSUES} more` : ''
  return shown.length > MAX_PROBLEM_CHARACTERS ? `${shown.slice(0, MAX_PROBLEM_CHARACTERS)}…` : shown + rest
}

function describeIssue(issue: StandardSchemaV1.Issue): string {
  const path = ['data', ...(issue.path ?? []).map(segment)].join('.')
  return `${path}: ${issue.message}`
}

function segment(part: PropertyKey | StandardSchemaV1.PathSegment): string {
  return String(typeof part === 'object' ? part.key : part)
}
