import type { RouteDoc } from '../openapi/route-doc.ts'
import { json, ref, text } from '../openapi/schema.ts'

const EVENT = { key: 'customer-7', type: 'order.placed', data: { orderId: 'o-1', total: 12 } }

export const appendDoc: RouteDoc = {
  id: 'appendRecords',
  tag: 'records',
  summary: 'Append events',
  description:
    'One event, an array, or newline-delimited JSON; at most 500 records and 16 MiB. Every record has its own result, in order; a bad one fails alone. 400 when there is nothing to append: the problem then carries `failedCount` and `results` too, if there were records. Send failed records that are `retryable` again.',
  parameters: [
    {
      name: 'key',
      in: 'query',
      description: 'Dot path of the field that holds the partition key, for records that state none.',
      schema: text(),
      example: 'customer.id',
    },
    {
      name: 'raw',
      in: 'query',
      description: 'The values are data, not events; `key` is then required.',
      schema: { type: 'boolean', default: false },
    },
    {
      name: 'explicitHashKeyField',
      in: 'query',
      description: 'With `raw`: dot path of the explicit hash key.',
      schema: text(),
    },
    { name: 'type', in: 'query', description: 'With `raw`: the type of the events.', schema: text() },
    {
      name: 'eddy-producer-id',
      in: 'header',
      description: 'Names the producer. With `eddy-first-sequence`, a repeated request stores nothing twice.',
      schema: text(undefined, { maxLength: 256 }),
    },
    {
      name: 'eddy-first-sequence',
      in: 'header',
      description: 'Producer sequence of the first record; the n-th has n more, failed ones included.',
      schema: { type: 'integer', minimum: 0 },
    },
    {
      name: 'eddy-sequences',
      in: 'header',
      description:
        'Producer sequences of the records in their order, as ranges, instead of `eddy-first-sequence`: for records that are sent again without those between them.',
      schema: text(),
      example: '17,20-518',
    },
    {
      name: 'eddy-tries',
      in: 'header',
      description:
        'The log is asked once, and what fails for now is answered so: for a client that sends it again itself, in order. Without it the server sends again for up to a minute.',
      schema: { type: 'integer', minimum: 1, maximum: 1 },
    },
  ],
  body: {
    required: true,
    content: {
      'application/json': {
        schema: { oneOf: [ref('Event'), { type: 'array', items: ref('Event'), minItems: 1, maxItems: 500 }] },
        example: EVENT,
      },
      'application/x-ndjson': {
        schema: text('One event a line.'),
        example: `${JSON.stringify(EVENT)}\n${JSON.stringify(EVENT)}\n`,
      },
    },
  },
  responses: {
    200: json('One result a record, in order.', ref('AppendAnswer'), {
      failedCount: 0,
      results: [
        {
          ok: true,
          id: '7d0c…',
          shardId: 'shardId-000000000000',
          sequenceNumber: '1000000000000000',
          duplicate: false,
        },
      ],
    }),
  },
  problems: [404],
}
