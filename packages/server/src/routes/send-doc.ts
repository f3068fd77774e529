import type { RouteDoc } from '../openapi/route-doc.ts'
import { integer, json, ref, text } from '../openapi/schema.ts'

const MESSAGE = { type: 'email.requested', data: { to: 'ada@example.org' }, delayMs: 60_000 }

export const sendDoc: RouteDoc = {
  id: 'sendMessages',
  tag: 'queues',
  summary: 'Send messages to a queue',
  description:
    'One message, an array, or newline-delimited JSON; at most 500 messages and 16 MiB, a message at most 1 MiB. Every message has its own result, in order; a bad one fails alone. 400 when there is nothing to send: the problem then carries `failedCount` and `results` too. Give messages a deduplication id, and a request may be repeated without a second copy.',
  parameters: [
    {
      name: 'raw',
      in: 'query',
      description: 'The values are data, not messages.',
      schema: { type: 'boolean', default: false },
    },
    { name: 'type', in: 'query', description: 'With `raw`: the type of the events.', schema: text() },
    {
      name: 'group',
      in: 'query',
      description:
        'Dot path of the field of each value that is its group, instead of the one that the queue names.',
      schema: text(),
      example: 'customer.id',
    },
    {
      name: 'deduplicationId',
      in: 'query',
      description: 'Dot path of the field of each value that is its deduplication id.',
      schema: text(),
      example: 'orderId',
    },
    {
      name: 'delayMs',
      in: 'query',
      description: 'For messages that say nothing of it.',
      schema: integer(undefined, { minimum: 0, maximum: 31_536_000_000 }),
    },
    {
      name: 'at',
      in: 'query',
      description: 'An ISO time or epoch milliseconds, for messages that say nothing of it.',
      schema: text(),
    },
    {
      name: 'eddy-producer-id',
      in: 'header',
      description:
        'Names the producer. With `eddy-first-sequence`, messages without a deduplication id get one from both: a repeated request within the queue’s window adds nothing.',
      schema: text(undefined, { maxLength: 100 }),
    },
    {
      name: 'eddy-first-sequence',
      in: 'header',
      description: 'Producer sequence of the first message; the n-th has n more, failed ones included.',
      schema: { type: 'integer', minimum: 0 },
    },
    {
      name: 'eddy-sequences',
      in: 'header',
      description:
        'Producer sequences of the messages in their order, as ranges, instead of `eddy-first-sequence`: for messages that are sent again without those between them.',
      schema: text(),
      example: '17,20-518',
    },
  ],
  body: {
    required: true,
    content: {
      'application/json': {
        schema: {
          oneOf: [
            ref('NewMessage'),
            ref('Envelope'),
            {
              type: 'array',
              items: { anyOf: [ref('NewMessage'), ref('Envelope')] },
              minItems: 1,
              maxItems: 500,
            },
          ],
        },
        example: MESSAGE,
      },
      'application/x-ndjson': {
        schema: text('One message a line.'),
        example: `${JSON.stringify(MESSAGE)}\n${JSON.stringify(MESSAGE)}\n`,
      },
    },
  },
  responses: {
    200: json('One result a message, in order.', ref('SendAnswer'), {
      failedCount: 0,
      results: [{ ok: true, id: '7d0c…', messageId: '2s', duplicate: false }],
    }),
  },
  problems: [404],
}
