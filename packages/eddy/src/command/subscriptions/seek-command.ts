import type { Command } from 'commander'
import type { SeekTarget } from '../../client/http-client.ts'
import { type Action, operatorName } from '../command-context.ts'
import { UsageError } from '../command-errors.ts'
import { count } from '../format/quantity.ts'
import { parseFrom } from '../tail/parse-from.ts'
import { printSubscription } from './print-subscription.ts'

interface SeekOptions {
  readonly to: string
  readonly shard?: string
  readonly by?: string
  readonly note?: string
  readonly dryRun?: boolean
}

const EXAMPLES = `
Examples:
  eddy subscriptions seek billing --to 2h --dry-run
  eddy subscriptions seek billing --to trim_horizon
  eddy subscriptions seek billing --to 1000000000000042 --shard shardId-000000000000`

/** `command` already has its argument and who asks. */
export function seekCommand(command: Command, action: Action): void {
  command
    .description('Starts a new pass over the stream from a position: events are handled again, or skipped.')
    .requiredOption('--to <position>', 'trim_horizon, latest, a time or a sequence number')
    .option('--shard <id>', 'this shard only; needed with a sequence number')
    .option('--dry-run', 'say what would be done')
    .addHelpText('after', EXAMPLES)
    .action(
      action(async (context, name: string, options: SeekOptions) => {
        const to = parseTarget(options)
        if (options.dryRun) {
          const { lagRecords, stream } = await context.client.showSubscription(name)
          if (context.json) return await context.printJson({ dryRun: true, subscription: name, to })
          const where = options.shard === undefined ? 'every shard' : options.shard
          return await context.print(
            `would start a new pass of "${name}" over ${where} of stream "${stream}" from ${options.to}; now ${count(lagRecords)} records behind`,
          )
        }
        const { shard, note } = options
        const subscription = await context.client.seekSubscription(name, to, {
          by: operatorName(options.by),
          ...(shard === undefined ? {} : { shardId: shard }),
          ...(note === undefined ? {} : { note }),
        })
        await printSubscription(context, subscription)
      }),
    )
}

/** @throws UsageError */
function parseTarget({ to, shard }: SeekOptions): SeekTarget {
  const { from, isSequence } = parseFrom(to, Date.now(), '--to')
  if (from === 'trim_horizon' || from === 'latest') return { at: from }
  if (!isSequence) return { at: 'at_timestamp', timestampMs: Number(from) }
  if (shard === undefined) {
    throw new UsageError('--to: a sequence number belongs to one shard. Name it with --shard.')
  }
  if (from.startsWith('after:')) {
    throw new UsageError(`--to: expected the sequence number to begin with, received ${JSON.stringify(to)}`)
  }
  return { at: 'at_sequence_number', sequenceNumber: from.slice('at:'.length) }
}
