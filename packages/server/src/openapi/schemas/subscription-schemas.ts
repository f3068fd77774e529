import type { JsonSchema } from '../route-doc.ts'
import { choice, flag, integer, list, object, ref, text } from '../schema.ts'

export const subscriptionSchemas: Readonly<Record<string, JsonSchema>> = {
  SubscriptionShard: object({
    shardId: text(),
    state: choice(['waiting', 'recovering', 'reading', 'blocked', 'paused', 'ended', 'stopped']),
    'checkpoint?': text('Sequence number where the next start would begin.'),
    'lagRecords?': integer(),
    lagMs: integer(),
    buffered: integer('Read, not yet resolved.'),
    expiredRecords: integer(),
  }),
  Subscription: object({
    name: text(),
    stream: text(),
    blocks: text(),
    exhausted: text(),
    paused: flag(),
    'pausedBy?': text(),
    concurrency: integer(),
    inFlight: integer(),
    retrying: integer(),
    held: integer('Events that wait behind others or for a person.'),
    heldKeys: integer(),
    dead: integer(),
    lagRecords: integer(),
    lagMs: integer(),
    shards: list(ref('SubscriptionShard')),
  }),
  Notice: {
    ...object({
      kind: choice([
        'dead-letter',
        'dropped',
        'key-held',
        'retention-near',
        'expired',
        'breaker-opened',
        'breaker-closed',
        'subscription-stopped',
      ]),
      subscription: text(),
      atMs: integer(),
    }),
    description: 'Further members follow the kind.',
  },
}
