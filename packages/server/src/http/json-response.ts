/** A JSON answer with its length, so that the access log and the client know it. */
export function jsonResponse(value: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return textResponse(JSON.stringify(value), 'application/json', status, headers)
}

export function textResponse(
  body: string,
  contentType: string,
  status = 200,
  headers: Record<string, string> = {},
): Response {
  return new Response(body, {
    status,
    headers: {
      'content-type': contentType,
      'content-length': String(Buffer.byteLength(body)),
      ...headers,
    },
  })
}
