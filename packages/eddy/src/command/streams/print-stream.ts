import { isDeepStrictEqual } from 'node:util'
import { KINESIS_LIMITS, type ServiceFaults, type ServiceLimits, type StreamDetail } from '@eddy/core'
import type { CommandContext } from '../command-context.ts'
import { byteSize, count, plural } from '../format/quantity.ts'
import { table } from '../format/table.ts'
import { duration, timeText } from '../format/time.ts'

export async function printStream(context: CommandContext, stream: StreamDetail): Promise<void> {
  if (context.json) return await context.printJson(stream)
  const open = stream.shards.filter((shard) => shard.open).length
  const lines = [
    `${context.paint.bold(stream.name)}  ${open} open of ${count(stream.shards.length)} shards, retention ${duration(stream.retentionMs)}, durability ${stream.durability}`,
    ...limitLines(stream),
    ...(stream.keysIgnored === true ? ['keys    ignored by the service (AUTO): no order is kept'] : []),
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

function limitLines({ limits, faults }: StreamDetail): readonly string[] {
  return [
    ...(limits === undefined ? [] : [`limits  ${limitsText(limits)}`]),
    ...(faults === undefined ? [] : [`faults  ${faultsText(faults)}`]),
  ]
}

/** The figures that a shard meets first; `--json` shows all. */
function limitsText(limits: ServiceLimits): string {
  const { writeRecordsPerSecond, writeBytesPerSecond, readCallsPerSecond, readBytesPerSecond } = limits
  const name = isDeepStrictEqual(limits, KINESIS_LIMITS) ? 'kinesis' : 'own figures'
  return `${name}: a shard takes ${count(writeRecordsPerSecond)} records/s and ${byteSize(writeBytesPerSecond)}/s, and gives ${plural(readCallsPerSecond, 'read')}/s and ${byteSize(readBytesPerSecond)}/s`
}

function faultsText({ internalFailureRate, latencyMs, throttleHarder }: ServiceFaults): string {
  return [
    internalFailureRate === undefined ? [] : [`${percent(internalFailureRate)} of records fail inside`],
    latencyMs === undefined ? [] : [`${latencyMs} ms latency`],
    Object.entries(throttleHarder ?? {}).map(([shardId, share]) => `${shardId} at ${percent(share)}`),
  ]
    .flat()
    .join(', ')
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(6))} %`
}
