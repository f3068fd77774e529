/** What of API Gateway's and a function URL's requests is read here: payload format 1.0 and 2.0. */
export interface HttpEvent {
  readonly version?: string
  readonly httpMethod?: string
  readonly path?: string
  readonly rawPath?: string
  readonly rawQueryString?: string
  readonly headers?: Readonly<Record<string, string | undefined>> | null
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[] | undefined>> | null
  readonly multiValueQueryStringParameters?: Readonly<Record<string, readonly string[] | undefined>> | null
  readonly queryStringParameters?: Readonly<Record<string, string | undefined>> | null
  readonly body?: string | null
  readonly isBase64Encoded?: boolean
  readonly requestContext?: {
    readonly stage?: string
    readonly domainName?: string
    readonly http?: { readonly method: string }
  }
}

export interface HttpResult {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly isBase64Encoded: boolean
}

/** The request as the Fetch API has it. */
export function requestOf(event: HttpEvent): Request {
  const method = event.requestContext?.http?.method ?? event.httpMethod ?? 'GET'
  const headers = headersOf(event)
  const host = headers.get('host') ?? event.requestContext?.domainName ?? 'localhost'
  const query = queryOf(event)
  const url = `https://${host}${pathOf(event)}${query === '' ? '' : `?${query}`}`
  const { body, isBase64Encoded } = event
  const hasBody = typeof body === 'string' && method !== 'GET' && method !== 'HEAD'
  if (!hasBody) return new Request(url, { method, headers })
  return new Request(url, {
    method,
    headers,
    body: isBase64Encoded === true ? Buffer.from(body, 'base64') : body,
  })
}

/** Of an answer as JSON. Lambda refuses a larger one, and its caller would learn no more than 502. */
const MAX_RESULT_BYTES = 6_291_556

/**
 * An answer that has no end, or is too large, is none for a function: its caller is told what to ask for instead. No more
 * of it is read than a function can answer with (I6).
 */
export async function resultOf(response: Response): Promise<HttpResult> {
  const type = response.headers.get('content-type') ?? 'text/plain'
  if (type.startsWith('text/event-stream')) {
    await response.body?.cancel()
    return refusal('a function streams no events: ask for what has changed from time to time')
  }
  const bytes = await bytesOf(response)
  const isText = /^text\/|json|xml|javascript|yaml/.test(type)
  const result = {
    statusCode: response.status,
    headers: Object.fromEntries(response.headers),
    body: bytes.toString(isText ? 'utf8' : 'base64'),
    isBase64Encoded: !isText,
  }
  if (Buffer.byteLength(JSON.stringify(result)) <= MAX_RESULT_BYTES) return result
  return refusal('a function answers with 6 MB at most: ask for less at a time, by a limit or a filter')
}

/** The body, or more of it than fits. */
async function bytesOf({ body }: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > MAX_RESULT_BYTES) break
  }
  return Buffer.concat(chunks)
}

function refusal(detail: string): HttpResult {
  const problem = { type: 'about:blank', title: 'Not Implemented', status: 501, detail }
  const headers = { 'content-type': 'application/problem+json' }
  return { statusCode: 501, headers, body: JSON.stringify(problem), isBase64Encoded: false }
}

function headersOf({ headers, multiValueHeaders }: HttpEvent): Headers {
  const all = new Headers()
  for (const [name, values] of Object.entries(multiValueHeaders ?? {}))
    for (const value of values ?? []) all.append(name, value)
  for (const [name, value] of Object.entries(headers ?? {}))
    if (value !== undefined && !all.has(name)) all.set(name, value)
  return all
}

/** An API's stage other than `$default` begins the path of payload format 2.0. */
function pathOf({ rawPath, path, requestContext }: HttpEvent): string {
  if (rawPath === undefined) return path ?? '/'
  const stage = requestContext?.stage
  if (stage === undefined || stage === '$default' || !`${rawPath}/`.startsWith(`/${stage}/`)) return rawPath
  return rawPath.slice(stage.length + 1) || '/'
}

function queryOf(event: HttpEvent): string {
  if (event.rawQueryString !== undefined) return event.rawQueryString
  const query = new URLSearchParams()
  for (const [name, values] of Object.entries(event.multiValueQueryStringParameters ?? {}))
    for (const value of values ?? []) query.append(name, value)
  for (const [name, value] of Object.entries(event.queryStringParameters ?? {}))
    if (value !== undefined && !query.has(name)) query.set(name, value)
  return query.toString()
}
