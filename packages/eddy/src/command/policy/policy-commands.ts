import { readFile } from 'node:fs/promises'
import { text as readText } from 'node:stream/consumers'
import type { PolicyOptions } from '@eddy/core'
import type { Command } from 'commander'
import { type Action, type CommandContext, operatorName } from '../command-context.ts'
import { UsageError } from '../command-errors.ts'
import { parseCount } from '../parse-count.ts'
import { parseAssignments, parsePolicy } from './parse-assignments.ts'
import { printPolicy, printPolicyResult } from './print-policy.ts'

interface ChangeOptions {
  readonly by?: string
  readonly note?: string
  readonly dryRun?: boolean
  readonly expectVersion?: number
  readonly file?: string
  readonly all?: boolean
}

const SET_EXAMPLES = `
Examples:
  eddy policy set billing failure.retry.maxAttempts=5 protect.ratePerSecond=100 --note "bank is slow"
  eddy policy set billing failure.blocks=nothing failure.exhausted=dead-letter --dry-run
  eddy policy set billing 'failure.retry={"kind":"fixed","delayMs":1000}'
  eddy policy set billing failure.maxAgeMs=null
  eddy policy set billing --file policy.json      replaces all that was changed before`

const UNSET_EXAMPLES = `
Examples:
  eddy policy unset billing failure.retry protect
  eddy policy unset billing --all`

export function policyCommands(program: Command, action: Action): void {
  const policy = program
    .command('policy')
    .summary('show, set, unset')
    .description(
      'Policies of subscriptions, changed while they count. What is changed lies over the application file.',
    )
  policy
    .command('show')
    .description('Shows each part of a policy with where it comes from, and the last changes.')
    .argument('<subscription>')
    .addHelpText('after', '\nExample:\n  eddy policy show billing')
    .action(
      action(async (context, name: string) => {
        await printPolicy(context, await context.client.showPolicy(name))
      }),
    )
  changeOptions(policy.command('set'))
    .description('Changes parts of a policy: at once for every decision, and after a restart.')
    .argument('<subscription>')
    .argument('[path=value...]', 'the value as JSON, or a word; null: no limit')
    .option('--file <path>', 'a policy as JSON (-: standard input), in place of all that was changed')
    .addHelpText('after', SET_EXAMPLES)
    .action(action(set))
  changeOptions(policy.command('unset'))
    .description('Lets the application file decide parts of a policy again.')
    .argument('<subscription>')
    .argument('[path...]', 'parts; failure and protect stand for all of theirs')
    .option('--all', 'all that was changed')
    .addHelpText('after', UNSET_EXAMPLES)
    .action(action(unset))
}

function changeOptions(command: Command): Command {
  return command
    .option('--by <name>', 'who asks (default: you)')
    .option('--note <text>', 'why')
    .option('--dry-run', 'show the difference')
    .option(
      '--expect-version <n>',
      'refuse when the policy is of another version by now',
      parseCount('--expect-version', 0, Number.MAX_SAFE_INTEGER),
    )
}

async function set(
  context: CommandContext,
  name: string,
  texts: readonly string[],
  options: ChangeOptions,
): Promise<void> {
  const { file } = options
  if ((file === undefined) === (texts.length === 0)) {
    throw new UsageError('expected path=value, or --file, and not both')
  }
  const asked = optionsOf(options)
  const result =
    file === undefined
      ? await context.client.changePolicy(name, { set: parseAssignments(texts) }, asked)
      : await context.client.replacePolicy(name, parsePolicy(file, await contentOf(context, file)), asked)
  await printPolicyResult(context, result)
}

async function unset(
  context: CommandContext,
  name: string,
  paths: readonly string[],
  options: ChangeOptions,
): Promise<void> {
  if ((options.all === true) === paths.length > 0)
    throw new UsageError('expected parts, or --all, and not both')
  const asked = optionsOf(options)
  const result =
    options.all === true
      ? await context.client.resetPolicy(name, asked)
      : await context.client.changePolicy(name, { unset: paths }, asked)
  await printPolicyResult(context, result)
}

async function contentOf({ io }: CommandContext, file: string): Promise<string> {
  if (file === '-') return await readText(io.stdin)
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new UsageError(`--file: ${(error as Error).message}`)
  }
}

function optionsOf({ by, note, dryRun, expectVersion }: ChangeOptions): PolicyOptions {
  return {
    by: operatorName(by),
    ...(note !== undefined && { note }),
    ...(dryRun === true && { dryRun }),
    ...(expectVersion !== undefined && { expectVersion }),
  }
}
