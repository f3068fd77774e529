import type { JsonSchema } from '../route-doc.ts'
import { epochMs, flag, integer, list, object, ref, text } from '../schema.ts'

const attribute = { type: ['string', 'number', 'boolean'] }
const named = text(undefined, { minLength: 1 })

export const recordSchemas: Readonly<Record<string, JsonSchema>> = {
  Event: { anyOf: [ref('NewEvent'), ref('Envelope'), ref('PlacedEnvelope')] },
  NewEvent: object(
    {
      'key?': text('Partition key; required unless the query names its field.', {
        minLength: 1,
        maxLength: 256,
      }),
      data: { description: 'Any JSON.' },
      'type?': named,
      'id?': named,
      'source?': named,
      'subject?': named,
      'time?': text('RFC 3339.'),
      'dataschema?': named,
      'extensions?': { type: 'object', additionalProperties: attribute },
      'explicitHashKey?': ref('HashKey'),
    },
    { closed: true, description: 'What a producer states; the rest of the envelope is filled in.' },
  ),
  Envelope: {
    ...object({
      specversion: { const: '1.0' },
      id: named,
      source: named,
      type: named,
      'subject?': named,
      'time?': text('RFC 3339.'),
      'datacontenttype?': named,
      'dataschema?': named,
      'partitionkey?': text('Partition key; required unless the query names its field.'),
      'data?': { description: 'Any JSON.' },
    }),
    description: 'A CloudEvents 1.0 event in JSON; further members are extension attributes.',
  },
  PlacedEnvelope: object(
    { event: ref('Envelope'), 'explicitHashKey?': ref('HashKey') },
    { closed: true, description: 'A CloudEvents event and where it goes, which is no part of it.' },
  ),
  AppendResult: {
    oneOf: [
      object({
        ok: { const: true },
        id: text(),
        shardId: text(),
        sequenceNumber: text(),
        duplicate: flag('It was stored before, by the same producer sequence.'),
      }),
      object({ ok: { const: false }, code: text(), retryable: flag(), message: text() }),
    ],
  },
  AppendAnswer: object({ failedCount: integer(), results: list(ref('AppendResult')) }),
  LogRecord: object({
    sequenceNumber: text(),
    'subSequenceNumber?': integer('Place in the aggregate that it came in, from 0.'),
    partitionKey: text(),
    'explicitHashKey?': ref('HashKey'),
    arrivedAtMs: epochMs('When it was appended.'),
    'isStray?': flag("Of an aggregate outside its shard's hash range: subscriptions pass over it."),
    'event?': ref('Envelope'),
    'dataBase64?': text('The bytes of a record that is no event.'),
  }),
  ReadAnswer: object({
    records: list(ref('LogRecord')),
    'next?': text('The `from` to go on with.'),
    millisBehindLatest: integer(),
    expiredRecords: integer('Records after `from` that retention removed.'),
  }),
}
