import type { JsonSchema } from '../route-doc.ts'
import { choice, epochMs, flag, integer, list, object, ref, text } from '../schema.ts'

const name = text(undefined, { pattern: '^[a-zA-Z0-9_.-]{1,128}$' })
const durability = choice(
  ['fsync', 'os'],
  '`fsync`: acknowledged records survive power loss. `os`: they survive the process.',
)

const stream = {
  name,
  shardCount: integer('At creation.', { minimum: 1, maximum: 1_024 }),
  retentionMs: integer('Milliseconds.', { minimum: 3_600_000, maximum: 31_536_000_000 }),
  durability,
  streamId: text(),
  createdAtMs: epochMs(''),
}

export const streamSchemas: Readonly<Record<string, JsonSchema>> = {
  HashKey: text('A 128-bit whole number in decimal.', { pattern: '^[0-9]{1,39}$' }),
  NewStream: object(
    {
      name,
      shardCount: stream.shardCount,
      'retentionMs?': { ...stream.retentionMs, default: 604_800_000 },
      'durability?': { ...durability, default: 'fsync' },
    },
    { closed: true },
  ),
  Stream: object(stream),
  Shard: object({
    shardId: text(),
    startingHashKey: ref('HashKey'),
    endingHashKey: ref('HashKey'),
    parentShardIds: list(text()),
    depth: integer('Generations above this shard.'),
    startingSequenceNumber: text(),
    'endingSequenceNumber?': text('Set when the shard is closed.'),
    'closedAtMs?': epochMs('Set when the shard is closed.'),
    open: flag(),
  }),
  StreamDetail: object({ ...stream, shards: list(ref('Shard')), subscriptions: list(text()) }),
}
