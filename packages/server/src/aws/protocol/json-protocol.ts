import { type AwsAnswer, headerOf } from '../aws-request.ts'
import type { AwsStructure, AwsValue } from '../aws-service.ts'
import { parseBoundedJson } from './bounded-json.ts'
import { decodeJson } from './decode-json.ts'
import { errorMembers, queryErrorHeader } from './error-members.ts'
import type { AnswerContext, WireProtocol } from './wire-protocol.ts'

/** JSON 1.0 and 1.1: one document each way, bytes in base64, times in seconds. */
export const jsonProtocol: WireProtocol = {
  name: 'json',
  decode: (model, operation, { body }) => decodeJson(model, operation, parseBoundedJson(body)),
  encode: (_model, _operation, output, context) => jsonAnswer(200, JSON.stringify(toJson(output)), context),
  encodeError: (model, error, context) => ({
    ...jsonAnswer(error.status, JSON.stringify(errorMembers(model, error)), context),
    headers: { 'content-type': contentType(context), ...queryErrorHeader(model, error) },
  }),
}

/** The answer of a raw operation, or of a document that is written already. */
export function jsonAnswer(status: number, body: Uint8Array | string, context: AnswerContext): AwsAnswer {
  return { status, headers: { 'content-type': contentType(context) }, body }
}

/** The version that the client speaks. */
function contentType({ request }: AnswerContext): string {
  return headerOf(request, 'content-type')?.includes('1.0') === true
    ? 'application/x-amz-json-1.0'
    : 'application/x-amz-json-1.1'
}

type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

function toJson(value: AwsValue | AwsStructure): Json {
  if (value === null || typeof value !== 'object') return value
  if (value instanceof Uint8Array)
    return Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64')
  if (value instanceof Date) return value.getTime() / 1000
  if (Array.isArray(value)) return value.map((one: AwsValue) => toJson(one))
  const members: { [name: string]: Json } = Object.create(null)
  for (const [name, member] of Object.entries(value as AwsStructure))
    if (member !== undefined) members[name] = toJson(member)
  return members
}
