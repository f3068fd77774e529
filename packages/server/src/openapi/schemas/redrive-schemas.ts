import type { JsonSchema } from '../route-doc.ts'
import { choice, epochMs, integer, list, object, ref, text } from '../schema.ts'

export const redriveSchemas: Readonly<Record<string, JsonSchema>> = {
  RedrivePlan: object({
    count: integer(),
    outOfOrder: integer('How many would run after later events of their key.'),
    subscriptions: list(object({ subscription: text(), count: integer() })),
  }),
  RedriveJob: object({
    id: text(),
    state: choice(['preparing', 'running', 'done', 'cancelled', 'failed']),
    filter: ref('FailureFilter'),
    by: text(),
    ratePerSecond: integer(),
    createdAtMs: epochMs(''),
    'finishedAtMs?': epochMs(''),
    total: integer(),
    enqueued: integer(),
    skipped: integer('No longer dead when their turn came, or refused.'),
    'skippedByReason?': { type: 'object', additionalProperties: { type: 'integer' } },
    'reason?': text(),
    'note?': text(),
  }),
}
