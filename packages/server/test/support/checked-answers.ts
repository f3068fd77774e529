import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect } from 'vitest'
import { openApiDocument } from '../../src/index.ts'

const OPEN_SCHEMAS = ['Envelope', 'Notice']
const document = openApiDocument()
const ajv = new Ajv2020({ strict: false, allErrors: true })
ajv.addSchema(closed(JSON.parse(JSON.stringify(document))) as object, 'openapi')

/** Asserts that the document describes this answer: its status, its content type, and every member of its body. */
export async function expectDescribed(method: string, path: string, response: Response): Promise<void> {
  const verb = (method === 'HEAD' ? 'GET' : method).toLowerCase()
  const template = Object.keys(document.paths).find(
    (each) => document.paths[each]?.[verb] !== undefined && matches(each, path),
  )
  if (template === undefined || document.paths[template]?.[verb] === undefined) return expectProblem(response)
  const responses = document.paths[template][verb].responses as Record<string, Described>
  const described = responses[response.status]
  expect(described, `${method} ${template} does not document ${response.status}`).toBeDefined()
  if (response.body === null) return
  const type = (response.headers.get('content-type') ?? '').split(';', 1)[0] as string
  expect(Object.keys(described?.content ?? {})).toContain(type)
  if (!type.endsWith('json') || type.includes('ndjson')) return
  const pointer = ['paths', template, verb, 'responses', response.status, 'content', type, 'schema']
  validate(pointer, await response.json())
}

/** Asserts that a value follows a schema of the document. */
export function expectSchema(name: string, value: unknown): void {
  validate(['components', 'schemas', name], value)
}

async function expectProblem(response: Response): Promise<void> {
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  expectSchema('Problem', await response.json())
}

function validate(pointer: readonly (string | number)[], value: unknown): void {
  const fragment = pointer.map((part) =>
    encodeURIComponent(String(part).replaceAll('~', '~0').replaceAll('/', '~1')),
  )
  const check = ajv.getSchema(`openapi#/${fragment.join('/')}`)
  if (check === undefined) throw new Error(`no schema at ${pointer.join('/')}`)
  expect(check(value), JSON.stringify(check.errors)).toBe(true)
}

interface Described {
  readonly content?: Record<string, unknown>
}

function matches(template: string, path: string): boolean {
  const parts = template.split('/')
  const given = path.split('/')
  // Fixed paths stand before those with parameters in the document.
  return (
    parts.length === given.length &&
    parts.every((part, index) => part.startsWith('{') || part === given[index])
  )
}

/** Refuses members that the document does not name, so that a new one cannot be forgotten there. */
function closed(node: unknown, name = ''): unknown {
  if (Array.isArray(node)) return node.map((each) => closed(each))
  if (typeof node !== 'object' || node === null) return node
  const copy = Object.fromEntries(
    Object.entries(node).map(([member, value]) => [member, closed(value, member)]),
  )
  const isOpen = OPEN_SCHEMAS.includes(name) || 'additionalProperties' in copy
  return copy.type === 'object' && 'properties' in copy && !isOpen
    ? { ...copy, additionalProperties: false }
    : copy
}
