import { UnsupportedContentTypeError } from '@eddy/core'
import { isJsonType, mediaType } from '../http/content-type.ts'

const LINE_TYPES = ['application/x-ndjson', 'application/ndjson', 'application/jsonl']

/** One value or an array, or one value a line. @throws UnsupportedContentTypeError */
export function bodyFormat(contentType: string | undefined): 'json' | 'lines' {
  const type = mediaType(contentType)
  if (type === undefined || isJsonType(type)) return 'json'
  if (LINE_TYPES.includes(type)) return 'lines'
  throw new UnsupportedContentTypeError(
    'content-type',
    type.slice(0, 80),
    'application/json, or application/x-ndjson for one event a line',
  )
}
