import { InvalidOptionError } from '@eddy/core'
import { defined, text } from '../http/fields.ts'
import { type Query, queryFlag } from '../http/query.ts'
import { bodyFormat } from './body-format.ts'
import type { RecordOptions } from './parsed-record.ts'

/** How the body of an append request is read, from its query and content type. */
export function recordOptions(
  query: Query,
  contentType: string | undefined,
  maxRecords: number,
): RecordOptions {
  const raw = queryFlag(query, 'raw')
  for (const name of ['explicitHashKeyField', 'type']) {
    if (!raw && query[name] !== undefined) {
      throw new InvalidOptionError(name, 'raw=true beside it; events state it themselves', query[name])
    }
  }
  const keyField = text(query, 'key')
  if (raw && keyField === undefined) {
    throw new InvalidOptionError('key', 'the field that holds the key, since raw=true', undefined)
  }
  return {
    format: bodyFormat(contentType),
    raw,
    maxRecords,
    ...defined({
      keyField,
      explicitHashKeyField: text(query, 'explicitHashKeyField'),
      type: text(query, 'type'),
    }),
  }
}
