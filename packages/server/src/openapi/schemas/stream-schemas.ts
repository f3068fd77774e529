import type { JsonSchema } from '../route-doc.ts'
import { choice, epochMs, flag, integer, list, number, object, ref, text } from '../schema.ts'

const name = text(undefined, { pattern: '^[a-zA-Z0-9_.-]{1,128}$' })
const durability = choice(
  ['fsync', 'os'],
  '`fsync`: acknowledged records survive power loss. `os`: they survive the process.',
)

const figures: readonly (readonly [name: string, what: string])[] = [
  ['writeRecordsPerSecond', 'Records written to a shard.'],
  ['writeBytesPerSecond', 'Data and partition keys written to a shard.'],
  ['readCallsPerSecond', 'Reads of a shard, by all readers together.'],
  ['readBytesPerSecond', 'Read from a shard, by all readers together.'],
  ['maxReadBytes', 'Most that one read returns.'],
  ['iteratorCallsPerSecond', 'GetShardIterator calls a shard, on the AWS-compatible endpoint.'],
  ['maxEntries', 'Records of one append.'],
  ['maxRequestBytes', 'Data and partition keys of one append.'],
  ['maxRecordBytes', 'Data and partition key of one record.'],
  ['maxPartitionKeyCharacters', 'Characters of a partition key.'],
  ['iteratorLifetimeMs', 'A shard iterator of the AWS-compatible endpoint is good for this long.'],
  ['minRetentionMs', 'Shortest retention of the stream.'],
  ['maxRetentionMs', 'Longest retention of the stream.'],
]

function figuresAs(mark: '' | '?'): Readonly<Record<string, JsonSchema>> {
  return Object.fromEntries(figures.map(([name, what]) => [name + mark, integer(what, { minimum: 1 })]))
}

const limitsChoice: JsonSchema = {
  description:
    'What a service allows a stream, enforced: a preset, `none`, or figures; those left out are those of `kinesis`.',
  anyOf: [choice(['kinesis', 'kinesis-on-demand', 'none']), object(figuresAs('?'), { closed: true })],
}

const stream = {
  name,
  shardCount: integer('At creation.', { minimum: 1 }),
  retentionMs: integer('Milliseconds.', { minimum: 3_600_000, maximum: 31_536_000_000 }),
  durability,
  streamId: text(),
  createdAtMs: epochMs(''),
  'limits?': ref('ServiceLimits'),
  'faults?': ref('ServiceFaults'),
  'keysIgnored?': flag('The service places records without regard to their keys: no order of a key is kept.'),
}

export const streamSchemas: Readonly<Record<string, JsonSchema>> = {
  HashKey: text('A 128-bit whole number in decimal.', { pattern: '^[0-9]{1,39}$' }),
  NewStream: object(
    {
      name,
      'shardCount?': {
        ...stream.shardCount,
        maximum: 1_024,
        description: 'At creation. Required, but with `kinesis-on-demand`, which begins with 4.',
      },
      'retentionMs?': { ...stream.retentionMs, default: 604_800_000 },
      'durability?': { ...durability, default: 'fsync' },
      'limits?': limitsChoice,
      'faults?': ref('ServiceFaults'),
    },
    { closed: true },
  ),
  StreamChange: object({ 'limits?': limitsChoice, 'faults?': ref('ServiceFaults') }, { closed: true }),
  ServiceLimits: object(figuresAs('')),
  ServiceFaults: object(
    {
      'internalFailureRate?': {
        ...number('Share of entries that fail with `internal`.'),
        minimum: 0,
        maximum: 1,
      },
      'latencyMs?': integer('Before each append and read is answered.', { minimum: 0, maximum: 60_000 }),
      'throttleHarder?': {
        type: 'object',
        description: 'By shard id: the shard allows only this share of the write limits.',
        additionalProperties: { type: 'number', minimum: 0, maximum: 1 },
      },
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
