import { InvalidRequestError, UnsupportedContentTypeError } from '@eddy/core'

/**
 * The media type of a request, in lower case and without parameters; undefined when the header is missing.
 *
 * @throws InvalidRequestError (EDDY_INVALID_REQUEST) for a charset other than UTF-8
 */
export function mediaType(header: string | undefined): string | undefined {
  if (header === undefined || header.trim() === '') return undefined
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(header)?.[1]
  if (charset !== undefined && !/^(utf-?8|us-ascii)$/i.test(charset)) {
    throw new InvalidRequestError(`charset "${charset.slice(0, 40)}" is not supported: send UTF-8`)
  }
  return (header.split(';', 1)[0] as string).trim().toLowerCase()
}

/**
 * Refuses bodies that are not announced as JSON: a page of another origin can send other types without asking.
 *
 * @throws UnsupportedContentTypeError (EDDY_UNSUPPORTED_CONTENT_TYPE)
 */
export function requireJsonType(header: string | undefined): void {
  const type = mediaType(header)
  if (type === undefined || isJsonType(type)) return
  throw new UnsupportedContentTypeError('content-type', type.slice(0, 80), 'application/json')
}

export function isJsonType(type: string): boolean {
  return type === 'application/json' || /^application\/[\w.+-]+\+json$/.test(type)
}
