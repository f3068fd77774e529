import { type AppendOptions, InvalidOptionError } from '@eddy/core'
import { defined, integer, text } from '../http/fields.ts'
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

/** The producer's name and sequence: both or neither. */
export function appendOptions(header: (name: string) => string | undefined): AppendOptions {
  const producerId = text({ 'eddy-producer-id': header('eddy-producer-id') }, 'eddy-producer-id', {
    max: 256,
  })
  const sequence = header('eddy-first-sequence')
  const firstSequence = integer(
    {
      'eddy-first-sequence':
        sequence !== undefined && /^\d{1,15}$/.test(sequence) ? Number(sequence) : sequence,
    },
    'eddy-first-sequence',
    { min: 0, max: 999_999_999_999_999 },
  )
  if ((producerId === undefined) !== (firstSequence === undefined)) {
    throw new InvalidOptionError(
      producerId === undefined ? 'eddy-producer-id' : 'eddy-first-sequence',
      'both headers or neither',
      undefined,
    )
  }
  return defined({ producerId, firstSequence })
}
