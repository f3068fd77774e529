import type { JsonSchema } from '../route-doc.ts'
import { choice, flag, integer, list, number, object, ref, text } from '../schema.ts'

const LIMITS = ['breaker', 'rate', 'retry-rate', 'retry-budget']

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
  Protection: object({
    state: choice(['closed', 'open', 'probing', 'ramping']),
    'openSinceMs?': integer(),
    'probesAtMs?': integer('With `open`: when it will probe.'),
    'rampEndsAtMs?': integer(),
    'reason?': text('Why it opened last.'),
    'pauseMs?': integer(),
    'outcomes?': integer('Looked at since it closed or began to probe.'),
    'failed?': integer('Of these.'),
    'firstRefusedBy?': choice(LIMITS, 'What would refuse a first attempt this moment.'),
    'retryRefusedBy?': choice(LIMITS, 'What would refuse a retry this moment.'),
    waitingRetries: integer(),
    concurrency: integer('Handlers at a time that are allowed now.'),
    'ratePerSecond?': number('Now, within a ramp too.'),
    'retryRatePerSecond?': number('Now, within a ramp too.'),
    'retryCredits?': number('Retries that first attempts have paid for.'),
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
    'protection?': ref('Protection'),
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
