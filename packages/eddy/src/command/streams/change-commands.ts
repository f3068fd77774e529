import {
  checkRetentionLimits,
  stream as defineStream,
  type LimitsPreset,
  ON_DEMAND_SHARDS,
  resolveLimits,
  ShardNotFoundError,
  ShardStateError,
  type ShardStatus,
  StreamExistsError,
} from '@eddy/core'
import { Argument, type Command, Option } from 'commander'
import { RemoteError } from '../../client/remote-error.ts'
import type { Action, CommandContext } from '../command-context.ts'
import { UsageError } from '../command-errors.ts'
import { confirm } from '../confirm.ts'
import { EXIT } from '../exit-code.ts'
import { plural } from '../format/quantity.ts'
import { duration, requireDurationMs } from '../format/time.ts'
import { parseCount } from '../parse-count.ts'
import { printStream } from './print-stream.ts'

const MIN_RETENTION_MS = 3_600_000
const MAX_RETENTION_MS = 365 * 86_400_000

interface ChangeOptions {
  readonly dryRun?: boolean
}

/** Each shows with `--dry-run` what it would do. */
export function changeCommands(streams: Command, action: Action): void {
  streams
    .command('create')
    .description('Creates a stream.')
    .argument('<stream>', 'letters, digits, dot, dash, underscore; at most 128')
    .option(
      '--shards <n>',
      'shards to begin with (default: 1, with kinesis-on-demand 4)',
      parseCount('--shards', 1, 1_024),
    )
    .option('--retention <duration>', 'how long records are kept, 1h to 365d', '7d')
    .addOption(
      new Option('--durability <level>', 'fsync: survives power loss; os: survives the process')
        .choices(['fsync', 'os'])
        .default('fsync'),
    )
    .addOption(
      new Option('--limits <service>', 'refuse what this service would refuse (default: no limits)').choices([
        'kinesis',
        'kinesis-on-demand',
      ]),
    )
    .option('--dry-run', 'say what would be done')
    .addHelpText(
      'after',
      '\nExamples:\n  eddy streams create orders --shards 4 --retention 30d\n  eddy streams create clicks --shards 2 --limits kinesis',
    )
    .action(action(createStream))
  streams
    .command('limits')
    .description("Changes a stream's limits from now on.")
    .argument('<stream>')
    .addArgument(
      new Argument('<service>', 'refuse what this service would refuse; none: no limits').choices([
        'kinesis',
        'kinesis-on-demand',
        'none',
      ]),
    )
    .option('--dry-run', 'say what would be done')
    .addHelpText('after', '\nExample:\n  eddy streams limits orders kinesis')
    .action(action(changeLimits))
  streams
    .command('split')
    .description('Splits a shard in two; its keys go on in the children.')
    .argument('<stream>')
    .argument('<shard>')
    .option('--at <hash-key>', 'first hash key of the second child (default: the middle)')
    .option('--dry-run', 'say what would be done')
    .addHelpText('after', '\nExample:\n  eddy streams split orders shardId-000000000000')
    .action(action(splitShard))
  streams
    .command('merge')
    .description('Merges two shards that lie side by side.')
    .argument('<stream>')
    .argument('<shard>')
    .argument('[adjacent]', 'default: the next shard of the range')
    .option('--dry-run', 'say what would be done')
    .addHelpText('after', '\nExample:\n  eddy streams merge orders shardId-000000000001 shardId-000000000002')
    .action(action(mergeShards))
  streams
    .command('delete')
    .description('Deletes a stream and all its records.')
    .argument('<stream>')
    .option('--yes', 'do not ask')
    .option('--dry-run', 'say what would be done')
    .addHelpText('after', '\nExample:\n  eddy streams delete orders --dry-run')
    .action(action(deleteStream))
}

async function createStream(
  context: CommandContext,
  name: string,
  options: ChangeOptions & {
    readonly shards?: number
    readonly retention: string
    readonly durability: 'fsync' | 'os'
    readonly limits?: LimitsPreset
  },
): Promise<void> {
  const { durability, limits } = options
  const shardCount = options.shards ?? (limits === 'kinesis-on-demand' ? ON_DEMAND_SHARDS : 1)
  const retentionMs = requireRetentionMs(options.retention)
  const asked = { shardCount, retentionMs, durability, ...(limits !== undefined && { limits }) }
  // The checks of the server, so that --dry-run refuses what it would.
  defineStream(name, { shards: shardCount, retentionMs, durability, ...(limits !== undefined && { limits }) })
  if (options.dryRun) {
    if (await streamExists(context, name)) throw new StreamExistsError(name)
    const withLimits = limits === undefined ? '' : `, limits ${limits}`
    const text = `would create stream "${name}" with ${plural(shardCount, 'shard')}, retention ${duration(retentionMs)}, durability ${durability}${withLimits}`
    return await printPlan(context, text, { action: 'create', name, ...asked })
  }
  await printStream(context, await context.client.createStream({ name, ...asked }))
}

async function changeLimits(
  context: CommandContext,
  name: string,
  limits: LimitsPreset | 'none',
  options: ChangeOptions,
): Promise<void> {
  if (options.dryRun) {
    const { retentionMs } = await context.client.showStream(name)
    const resolved = resolveLimits('limits', limits)
    if (resolved !== 'none') checkRetentionLimits(`the retention of "${name}"`, retentionMs, resolved)
    const text = `would give stream "${name}" ${limits === 'none' ? 'no limits' : `the limits of ${limits}`}`
    return await printPlan(context, text, { action: 'limits', name, limits })
  }
  await printStream(context, await context.client.changeStream(name, { limits }))
}

/** @throws UsageError */
function requireRetentionMs(text: string): number {
  const retentionMs = requireDurationMs(text, '--retention')
  if (retentionMs < MIN_RETENTION_MS || retentionMs > MAX_RETENTION_MS) {
    throw new UsageError(`--retention: expected a duration from 1h to 365d, received ${JSON.stringify(text)}`)
  }
  return retentionMs
}

async function splitShard(
  context: CommandContext,
  stream: string,
  shardId: string,
  options: ChangeOptions & { readonly at?: string },
): Promise<void> {
  if (options.at !== undefined && !/^\d{1,39}$/.test(options.at)) {
    throw new UsageError(
      `--at: expected a hash key of up to 39 digits, received ${JSON.stringify(options.at)}`,
    )
  }
  if (options.dryRun) {
    const { startingHashKey, endingHashKey } = await openShard(context, stream, shardId)
    const start = BigInt(startingHashKey)
    const end = BigInt(endingHashKey)
    const second = options.at === undefined ? start + (end - start) / 2n + 1n : BigInt(options.at)
    if (second <= start || second > end) {
      throw new ShardStateError(
        stream,
        shardId,
        `the second child would begin at ${second}, outside ${start + 1n} to ${end}`,
      )
    }
    const text = `would close ${shardId} and open two shards: ${start} to ${second - 1n}, and ${second} to ${end}`
    return await printPlan(context, text, {
      action: 'split',
      stream,
      shardId,
      newStartingHashKey: String(second),
    })
  }
  await printStream(context, await context.client.splitShard(stream, shardId, options.at))
}

async function mergeShards(
  context: CommandContext,
  stream: string,
  shardId: string,
  adjacentShardId: string | undefined,
  options: ChangeOptions,
): Promise<void> {
  if (options.dryRun) {
    const shard = await openShard(context, stream, shardId)
    const { shards } = await context.client.showStream(stream)
    const beside = shards.filter((other) => other.open && (follows(shard, other) || follows(other, shard)))
    const adjacent =
      adjacentShardId === undefined
        ? beside.find((other) => follows(shard, other))
        : beside.find((other) => other.shardId === adjacentShardId)
    if (adjacent === undefined) {
      throw new ShardStateError(
        stream,
        shardId,
        `it has no open neighbour ${adjacentShardId ?? 'after it'}. Look with: eddy streams show ${stream}`,
      )
    }
    const text = `would close ${shardId} and ${adjacent.shardId} and open one shard over both ranges`
    return await printPlan(context, text, {
      action: 'merge',
      stream,
      shardId,
      adjacentShardId: adjacent.shardId,
    })
  }
  await printStream(context, await context.client.mergeShards(stream, shardId, adjacentShardId))
}

async function deleteStream(
  context: CommandContext,
  name: string,
  options: ChangeOptions & { readonly yes?: boolean },
): Promise<void> {
  const { shards, subscriptions } = await context.client.showStream(name)
  const what = `stream "${name}" with ${plural(shards.length, 'shard')} and all its records`
  const readers = subscriptions.length === 0 ? '' : ` It is read by ${subscriptions.join(', ')}.`
  if (options.dryRun) {
    return await printPlan(context, `would delete ${what}.${readers}`, {
      action: 'delete',
      name,
      subscriptions,
    })
  }
  if (!(await confirm(context, `Delete ${what}?${readers}`, { yes: options.yes }))) {
    await context.note('Nothing was deleted.')
    return context.exitWith(EXIT.failed)
  }
  await context.client.deleteStream(name)
  if (context.json) await context.printJson({ deleted: name })
  else await context.print(`deleted ${what}`)
}

async function printPlan(context: CommandContext, text: string, plan: object): Promise<void> {
  if (context.json) await context.printJson({ dryRun: true, ...plan })
  else await context.print(text)
}

async function streamExists({ client }: CommandContext, name: string): Promise<boolean> {
  try {
    await client.showStream(name)
    return true
  } catch (error) {
    if (error instanceof RemoteError && error.status === 404) return false
    throw error
  }
}

async function openShard({ client }: CommandContext, stream: string, shardId: string): Promise<ShardStatus> {
  const { shards } = await client.showStream(stream)
  const shard = shards.find((other) => other.shardId === shardId)
  if (shard === undefined) throw new ShardNotFoundError(stream, shardId)
  if (!shard.open) throw new ShardStateError(stream, shardId, 'it is closed already')
  return shard
}

function follows(shard: ShardStatus, other: ShardStatus): boolean {
  return BigInt(shard.endingHashKey) + 1n === BigInt(other.startingHashKey)
}
