import {
  type FailureFilter,
  type FailureStatus,
  OutOfOrderError,
  type RedriveOptions,
  type RedrivePlan,
} from '@eddy/core'
import { type Command, Option } from 'commander'
import { type Action, type CommandContext, operatorName } from '../command-context.ts'
import { UsageError } from '../command-errors.ts'
import { confirm } from '../confirm.ts'
import { EXIT } from '../exit-code.ts'
import { count, plural } from '../format/quantity.ts'
import { parseCount } from '../parse-count.ts'
import { type FilterOptions, filterOptions, filterText, STATUSES, targetFilterOf } from './filter-options.ts'
import { findNamed, reportUnmatched } from './named-ids.ts'
import { followRedrive, printJob, printJobs } from './redrive-job.ts'

interface RedriveCommandOptions extends Omit<FilterOptions, 'status'> {
  /** A failure's status, or a redrive's id. */
  readonly status?: string
  readonly rate?: number
  readonly allowOutOfOrder?: boolean
  readonly by?: string
  readonly note?: string
  readonly yes?: boolean
  readonly dryRun?: boolean
  readonly wait: boolean
  readonly detach?: boolean
  readonly list?: boolean
  readonly job?: string
  readonly cancel?: string
}

const EXAMPLES = `
Examples:
  eddy failures redrive --subscription billing --since 2h --dry-run
  eddy failures redrive --subscription billing --error Timeout --rate 50 --yes
  eddy failures redrive 'billing:4be1…:0000.0000.0161000000000000042'
  eddy failures redrive --list
  eddy failures redrive --job ID           come back to a running one
  eddy failures redrive --cancel ID

A redrive is a job of the server over the set of failures as it was when it began. Ctrl-C leaves the job running.`

export function redriveCommand(failures: Command, action: Action): void {
  const status = new Option(
    '--status <status>',
    'in this status; with the id of a redrive, the same as --job',
  )
  filterOptions(failures.command('redrive'), { status })
    .description('Handles failures again. Shows how many and asks first.')
    .argument('[id...]', 'exactly these; without, all that match (the dead ones unless --status)')
    .option('--rate <n>', 'events a second (default: 100)', parseCount('--rate', 1, 100_000))
    .option('--allow-out-of-order', 'agree that events run after later events of their key')
    .option('--by <name>', 'who asks (default: you)')
    .option('--note <text>', 'why')
    .option('--yes', 'do not ask')
    .option('--dry-run', 'only say how many')
    .option('--wait', 'stay and show progress', true)
    .option('--detach', 'start the job and leave')
    .option('--list', 'list the redrives')
    .option('--job <id>', 'show a redrive and stay until it ends')
    .option('--cancel <id>', 'stop a redrive; what was sent stays sent')
    .addHelpText('after', EXAMPLES)
    .action(action(redrive))
}

async function redrive(
  context: CommandContext,
  ids: readonly string[],
  options: RedriveCommandOptions,
): Promise<void> {
  const { client } = context
  const { status } = options
  const job = options.job ?? (isStatus(status) ? undefined : status)
  const chosen = [options.list, job, options.cancel].filter((option) => option !== undefined)
  if (chosen.length > 1 || (chosen.length === 1 && ids.length > 0)) {
    throw new UsageError('expected one of: ids or a filter, --list, --job ID, --cancel ID')
  }
  if (options.list === true) return await printJobs(context, await client.listRedrives())
  if (options.cancel !== undefined) return await printJob(context, await client.cancelRedrive(options.cancel))
  if (job !== undefined) {
    const found = await client.showRedrive(job)
    if (options.detach === true) return await printJob(context, found)
    return await followRedrive(context, found)
  }
  await startRedrive(context, ids, options)
}

function isStatus(text: string | undefined): text is FailureStatus {
  return STATUSES.some((status) => status === text)
}

async function startRedrive(
  context: CommandContext,
  ids: readonly string[],
  options: RedriveCommandOptions,
): Promise<void> {
  const { client } = context
  const { status, ...rest } = options
  const filter = targetFilterOf(ids, isStatus(status) ? { ...rest, status } : rest, Date.now())
  const asked: RedriveOptions = {
    by: operatorName(options.by),
    ...(options.note === undefined ? {} : { note: options.note }),
    ...(options.rate === undefined ? {} : { ratePerSecond: options.rate }),
    ...(options.limit === undefined ? {} : { limit: options.limit }),
  }
  const named = await findNamed(context, ids)
  const plan = await client.planRedrive(filter, asked)
  await reportUnmatched(context, named, plan.count, options.limit)
  if (options.dryRun === true) await printPlan(context, plan)
  if (plan.count === 0 && ids.length === 0 && filter.status === 'dead') await noteHeld(context, filter)
  if (options.dryRun === true) return
  if (plan.count === 0) {
    if (ids.length === 0) await context.note(`No failure matches ${filterText(filter)}.`)
    if (context.json) await context.printJson({ ...plan, started: false })
    return
  }
  let allowOutOfOrder = options.allowOutOfOrder === true
  if (plan.outOfOrder > 0 && !allowOutOfOrder) {
    const question = `${plural(plan.outOfOrder, 'event')} would be handled after later events of the same key.`
    // Agreeing to a redrive is not agreeing to disorder: --yes does not answer this.
    if (!context.interactive) throw new OutOfOrderError(plan.outOfOrder)
    allowOutOfOrder = await confirm(context, `${question} Allow it?`, { yes: false })
    if (!allowOutOfOrder) return await stay(context)
  }
  const question = `${plural(plan.count, 'failure')} (${filterText(filter)}) will be redriven. Go on?`
  if (!(await confirm(context, question, { yes: options.yes }))) return await stay(context)
  const job = await client.startRedrive(filter, { ...asked, ...(allowOutOfOrder ? { allowOutOfOrder } : {}) })
  if (options.detach === true) {
    await context.note(`Come back with: eddy failures redrive --job ${job.id}`)
    return await printJob(context, job)
  }
  await followRedrive(context, job)
}

/** Somebody who looks for what to redrive may mean the events that wait for a person: those are held, not dead. */
async function noteHeld({ client, note }: CommandContext, filter: FailureFilter): Promise<void> {
  const held = await client.planRedrive({ ...filter, status: 'held' }, {})
  if (held.count === 0) return
  const verb = held.count === 1 ? 'waits' : 'wait'
  await note(
    `No failure is dead, but ${plural(held.count, 'held one')} ${verb} for a person: repeat the command with --status held.`,
  )
}

async function stay(context: CommandContext): Promise<void> {
  await context.note('Nothing was redriven.')
  context.exitWith(EXIT.failed)
}

async function printPlan(context: CommandContext, plan: RedrivePlan): Promise<void> {
  if (context.json) return await context.printJson({ dryRun: true, ...plan })
  const lines = [`would redrive ${plural(plan.count, 'failure')}`]
  for (const { subscription, count: number } of plan.subscriptions)
    lines.push(`  ${count(number)} of ${subscription}`)
  if (plan.outOfOrder > 0) {
    lines.push(
      `  ${count(plan.outOfOrder)} would be handled after later events of their key; agree with --allow-out-of-order`,
    )
  }
  await context.print(lines.join('\n'))
}
