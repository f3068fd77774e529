import type { Command } from 'commander'
import type { SeekTarget } from '../../client/http-client.ts'
import { type Action, type CommandContext, operatorName } from '../command-context.ts'
import { UsageError } from '../command-errors.ts'
import { confirm } from '../confirm.ts'
import { EXIT } from '../exit-code.ts'
import { parseFrom } from '../tail/parse-from.ts'
import { printSubscription } from './print-subscription.ts'
import { type SeekPlan, seekPlan } from './seek-plan.ts'

interface SeekOptions {
  readonly to: string
  readonly shard?: string
  readonly by?: string
  readonly note?: string
  readonly yes?: boolean
  readonly dryRun?: boolean
}

const EXAMPLES = `
Examples:
  eddy subscriptions seek billing --to 2h --dry-run
  eddy subscriptions seek billing --to trim_horizon --yes
  eddy subscriptions seek billing --to 1000000000000042 --shard shardId-000000000000`

/** `command` already has its argument and who asks. */
export function seekCommand(command: Command, action: Action): void {
  command
    .description(
      'Starts a new pass over the stream from a position: events are handled again, or skipped. Says which and asks first.',
    )
    .requiredOption('--to <position>', 'trim_horizon, latest, a time or a sequence number')
    .option('--shard <id>', 'this shard only; needed with a sequence number')
    .option('--yes', 'do not ask')
    .option('--dry-run', 'say what would be done')
    .addHelpText('after', EXAMPLES)
    .action(action(seek))
}

async function seek(context: CommandContext, name: string, options: SeekOptions): Promise<void> {
  const { shard, note, yes, dryRun } = options
  const to = parseTarget(options)
  if (dryRun === true || yes !== true) {
    const plan = seekPlan(await context.client.showSubscription(name), to, shard)
    if (dryRun === true) return await printPlan(context, name, to, plan)
    const { where, effects } = plan
    const question = `"${name}" will start a new pass over ${where}, ${effects.join('; ')}. Go on?`
    if (!(await confirm(context, question, { yes }))) {
      await context.note('Nothing was changed.')
      return context.exitWith(EXIT.failed)
    }
  }
  const subscription = await context.client.seekSubscription(name, to, {
    by: operatorName(options.by),
    ...(shard === undefined ? {} : { shardId: shard }),
    ...(note === undefined ? {} : { note }),
  })
  await printSubscription(context, subscription)
}

async function printPlan(
  context: CommandContext,
  subscription: string,
  to: SeekTarget,
  { where, effects, unhandledRecords }: SeekPlan,
): Promise<void> {
  if (context.json) {
    return await context.printJson({ dryRun: true, subscription, to, unhandledRecords, effects })
  }
  const lines = effects.map((effect) => `  ${effect}`)
  await context.print([`would start a new pass of "${subscription}" over ${where}`, ...lines].join('\n'))
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
