import { AwsError } from '../aws-error.ts'
import { type AwsRequest, headerOf } from '../aws-request.ts'

/** Ten entries of ten attributes each have 500 (I6). */
const MAX_PARAMETERS = 2_000
/** `SendMessageBatchRequestEntry.10.MessageAttribute.10.Value.StringValue` has 69. */
const MAX_NAME_CHARACTERS = 200

/**
 * The parameters of a request in the query protocol: of its body, or of its address without one.
 *
 * @throws AwsError MalformedQueryString
 */
export function queryParameters(request: AwsRequest): ReadonlyMap<string, string> {
  const text = isForm(request)
    ? Buffer.from(request.body.buffer, request.body.byteOffset, request.body.length).toString('utf8')
    : queryOf(request.target)
  const parameters = new Map<string, string>()
  let at = 0
  while (at <= text.length && text !== '') {
    const end = text.indexOf('&', at)
    const part = text.slice(at, end < 0 ? text.length : end)
    at = end < 0 ? text.length + 1 : end + 1
    if (part === '') continue
    const equals = part.indexOf('=')
    const name = decoded(equals < 0 ? part : part.slice(0, equals))
    if (name.length > MAX_NAME_CHARACTERS || parameters.size >= MAX_PARAMETERS) throw malformed()
    parameters.set(name, equals < 0 ? '' : decoded(part.slice(equals + 1)))
  }
  return parameters
}

export function isForm(request: Pick<AwsRequest, 'headers'>): boolean {
  const type = headerOf(request, 'content-type') ?? ''
  return type.split(';', 1)[0]?.trim().toLowerCase() === 'application/x-www-form-urlencoded'
}

/** What stands behind the `?`. */
export function queryOf(target: string): string {
  const mark = target.indexOf('?')
  return mark < 0 ? '' : target.slice(mark + 1)
}

export function pathOf(target: string): string {
  const mark = target.indexOf('?')
  return mark < 0 ? target : target.slice(0, mark)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw malformed()
  }
}

function malformed(): AwsError {
  return new AwsError('MalformedQueryString', 'The query string contains a syntax error.', { status: 404 })
}
