import { InvalidRequestError } from '@eddy/core'
import type { Call } from '../route.ts'
import { requireJsonType } from './content-type.ts'
import { type Fields, onlyKnown } from './fields.ts'
import { parseJson } from './parse-json.ts'
import { readBody } from './read-body.ts'

/**
 * The body as a JSON object with known members only. No body at all counts as `{}`: the caller requires what it needs.
 */
export async function jsonBody(call: Call, known: readonly string[]): Promise<Fields> {
  const request = call.context.req.raw
  requireJsonType(request.headers.get('content-type') ?? undefined)
  const bytes = await readBody(request, call.server.limits.maxBodyBytes, call.body)
  if (bytes.byteLength === 0) return {}
  const value = parseJson(bytes, 'the body')
  if (!isObject(value)) throw new InvalidRequestError('the body must be a JSON object')
  onlyKnown(value, known, 'member ')
  return value
}

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
