import type { BulkResult } from '@eddy/core'
import type { Command } from 'commander'
import { type Action, type CommandContext, operatorName } from '../command-context.ts'
import { confirm } from '../confirm.ts'
import { EXIT } from '../exit-code.ts'
import { plural } from '../format/quantity.ts'
import { type FilterOptions, filterOptions, filterText, targetFilterOf } from './filter-options.ts'
import { findNamed, reportUnmatched } from './named-ids.ts'

interface BulkCommandOptions extends FilterOptions {
  readonly by?: string
  readonly note?: string
  readonly yes?: boolean
  readonly dryRun?: boolean
}

/** What a bulk command is called, and what it leaves behind. */
interface BulkKind {
  readonly action: 'drop' | 'archive'
  readonly done: string
  readonly description: string
}

const KINDS: readonly BulkKind[] = [
  {
    action: 'drop',
    done: 'dropped',
    description: 'Gives failures up for good; a key that one of them held flows on.',
  },
  { action: 'archive', done: 'archived', description: 'Puts failures aside; they can be redriven later.' },
]

export function bulkCommands(failures: Command, action: Action): void {
  for (const kind of KINDS) {
    filterOptions(failures.command(kind.action))
      .description(`${kind.description} Shows how many and asks first.`)
      .argument('[id...]', 'exactly these; without, all that match (the dead ones unless --status)')
      .option('--by <name>', 'who asks (default: you)')
      .option('--note <text>', 'why')
      .option('--yes', 'do not ask')
      .option('--dry-run', 'only say how many')
      .addHelpText(
        'after',
        `\nExamples:\n  eddy failures ${kind.action} --subscription billing --error InvalidOrder --dry-run\n  eddy failures ${kind.action} --fingerprint 4be1 --yes --note "fixed by hand"`,
      )
      .action(
        action((context, ids: string[], options: BulkCommandOptions) => runBulk(context, kind, ids, options)),
      )
  }
}

async function runBulk(
  context: CommandContext,
  { action, done }: BulkKind,
  ids: readonly string[],
  { by, note, limit, yes, dryRun, ...filterOptionsGiven }: BulkCommandOptions,
): Promise<void> {
  const filter = targetFilterOf(ids, filterOptionsGiven, Date.now())
  const named = await findNamed(context, ids)
  const options = {
    by: operatorName(by),
    ...(note === undefined ? {} : { note }),
    ...(limit === undefined ? {} : { limit }),
  }
  if (dryRun === true || yes !== true) {
    const plan = await context.client.bulk(action, filter, { ...options, dryRun: true })
    if (dryRun === true || plan.matched === 0) {
      await reportUnmatched(context, named, plan.matched, limit)
    }
    if (dryRun === true) return await printResult(context, plan, `would be ${done}`)
    if (plan.matched === 0) {
      if (ids.length === 0) await context.note(`No failure matches ${filterText(filter)}.`)
      if (context.json) await context.printJson(plan)
      return
    }
    const question = `${plural(plan.matched, 'failure')} (${filterText(filter)}) will be ${done}. Go on?`
    if (!(await confirm(context, question, { yes }))) {
      await context.note('Nothing was changed.')
      return context.exitWith(EXIT.failed)
    }
  }
  const result = await context.client.bulk(action, filter, options)
  await printResult(context, result, done)
  await reportUnmatched(context, named, result.matched, limit)
  if (result.changed < result.matched) context.exitWith(EXIT.partial)
}

async function printResult(context: CommandContext, result: BulkResult, done: string): Promise<void> {
  if (context.json) return await context.printJson(result)
  const { matched, changed, dryRun } = result
  if (dryRun) return await context.print(`${plural(matched, 'failure')} ${done}`)
  const rest = matched - changed
  await context.print(
    `${plural(changed, 'failure')} ${done}${rest > 0 ? `, ${plural(rest, 'other')} had changed meanwhile` : ''}`,
  )
}
