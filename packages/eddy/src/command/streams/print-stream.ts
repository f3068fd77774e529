import type { StreamDetail } from '@eddy/core'
import type { CommandContext } from '../command-context.ts'
import { count } from '../format/quantity.ts'
import { table } from '../format/table.ts'
import { duration, timeText } from '../format/time.ts'

export async function printStream(context: CommandContext, stream: StreamDetail): Promise<void> {
  if (context.json) return await context.printJson(stream)
  const open = stream.shards.filter((shard) => shard.open).length
  const lines = [
    `${context.paint.bold(stream.name)}  ${open} open of ${count(stream.shards.length)} shards, retention ${duration(stream.retentionMs)}, durability ${stream.durability}`,
    `created ${timeText(stream.createdAtMs, Date.now())}`,
    `read by ${stream.subscriptions.length === 0 ? 'no subscription' : stream.subscriptions.join(', ')}`,
    '',
    table(
      stream.shards,
      [
        { title: 'SHARD', value: ({ shardId }) => shardId },
        { title: 'STATE', value: (shard) => (shard.open ? 'open' : 'closed') },
        { title: 'FROM HASH KEY', align: 'right', value: ({ startingHashKey }) => startingHashKey },
        { title: 'TO HASH KEY', align: 'right', value: ({ endingHashKey }) => endingHashKey },
        { title: 'PARENTS', value: ({ parentShardIds }) => parentShardIds.join(', ') || '-' },
      ],
      context.paint,
    ),
  ]
  await context.print(lines.join('\n'))
}
