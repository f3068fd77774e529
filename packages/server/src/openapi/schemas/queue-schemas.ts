import type { JsonSchema } from '../route-doc.ts'
import { choice, flag, integer, list, object, ref, text } from '../schema.ts'

const named = text(undefined, { minLength: 1 })

const delivery = {
  'group?': text('In a queue with groups: instead of the field that the queue names.', {
    minLength: 1,
    maxLength: 256,
  }),
  'delayMs?': integer('Not handled earlier than in this time. Not in a queue with groups.', {
    minimum: 0,
    maximum: 31_536_000_000,
  }),
  'at?': {
    type: ['string', 'integer'],
    description: 'Not handled before: an ISO time or epoch milliseconds. Instead of `delayMs`.',
  },
  'deduplicationId?': text('A message of this id that was sent within the queue’s window adds nothing.', {
    minLength: 1,
    maxLength: 128,
  }),
}

const depth = {
  messages: integer('Not yet acknowledged.'),
  ready: integer(),
  inFlight: integer(),
  delayed: integer('Not due yet; at most 10,000 are counted, what is beyond counts as ready.'),
  oldestAgeMs: integer('How long ago the message that waits longest became due.'),
}

export const queueSchemas: Readonly<Record<string, JsonSchema>> = {
  NewMessage: object(
    {
      data: { description: 'Any JSON.' },
      'type?': named,
      'id?': named,
      'source?': named,
      'subject?': named,
      'time?': text('RFC 3339.'),
      'dataschema?': named,
      'extensions?': {
        type: 'object',
        additionalProperties: { type: ['string', 'number', 'boolean'] },
      },
      ...delivery,
    },
    { closed: true, description: 'An event without a key, and how it is to be delivered.' },
  ),
  SendResult: {
    oneOf: [
      object({
        ok: { const: true },
        id: text('Of the event.'),
        messageId: text('Of the message that was sent first, for a duplicate.'),
        duplicate: flag('A message of this deduplication id was sent before; nothing was added.'),
      }),
      object({ ok: { const: false }, code: text(), retryable: flag(), message: text() }),
    ],
  },
  SendAnswer: object({ failedCount: integer(), results: list(ref('SendResult')) }),
  Queue: object({
    name: text(),
    'group?': text('The field of `data` that groups its messages.'),
    deduplicationWindowMs: integer(),
    'subscription?': text('Who reads it.'),
    ...depth,
  }),
  SubscriptionQueue: object({
    name: text(),
    state: choice(['recovering', 'reading', 'paused', 'stopped', 'elsewhere']),
    'owner?': text('With several workers: which one reads it.'),
    buffered: integer('Received, not yet acknowledged.'),
    ...depth,
  }),
  PurgeResult: object({
    messages: integer('That were there.'),
    dryRun: flag('Nothing was removed.'),
  }),
}
