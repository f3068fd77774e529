import type { Command } from 'commander'
import { type Action, type CommandContext, operatorName } from '../command-context.ts'
import { confirm } from '../confirm.ts'
import { EXIT } from '../exit-code.ts'
import { count, plural } from '../format/quantity.ts'
import { printQueue, printQueues } from './print-queue.ts'
import { queuePutCommand } from './queue-put-command.ts'

interface PurgeCommandOptions {
  readonly by?: string
  readonly note?: string
  readonly yes?: boolean
  readonly dryRun?: boolean
}

export function queuesCommands(program: Command, action: Action): void {
  const queues = program
    .command('queues')
    .summary('list, show, put, purge')
    .description('Queues and what waits in them.')
  queues
    .command('list')
    .description('Lists the queues of the application.')
    .addHelpText('after', '\nExamples:\n  eddy queues list\n  eddy queues list --json | jq -r .[].name')
    .action(action(async (context) => printQueues(context, await context.client.listQueues())))
  queues
    .command('show')
    .description('Shows a queue: what waits, for how long, and who reads it.')
    .argument('<queue>')
    .addHelpText('after', '\nExample:\n  eddy queues show emails')
    .action(
      action(async (context, name: string) => printQueue(context, await context.client.showQueue(name))),
    )
  queuePutCommand(queues, action)
  queues
    .command('purge')
    .description('Removes every message of a queue; what failed before stays in the failures.')
    .argument('<queue>')
    .option('--by <name>', 'who asks (default: you at this machine)')
    .option('--note <text>', 'why, for the audit')
    .option('--yes', 'do not ask')
    .option('--dry-run', 'say what would be done')
    .addHelpText('after', '\nExample:\n  eddy queues purge emails --dry-run')
    .action(action(purge))
}

async function purge(context: CommandContext, name: string, options: PurgeCommandOptions): Promise<void> {
  const { by, note, yes, dryRun } = options
  const who = { by: operatorName(by), ...(note !== undefined && { note }) }
  if (dryRun === true || yes !== true) {
    const plan = await context.client.purgeQueue(name, { ...who, dryRun: true })
    if (dryRun === true) {
      if (context.json) return await context.printJson(plan)
      return await context.print(`would remove ${plural(plan.messages, 'message')} of "${name}"`)
    }
    const question = `${count(plan.messages)} messages of "${name}" will be removed for good. Go on?`
    if (!(await confirm(context, question, { yes }))) {
      await context.note('Nothing was changed.')
      return context.exitWith(EXIT.failed)
    }
  }
  const result = await context.client.purgeQueue(name, who)
  if (context.json) return await context.printJson(result)
  await context.print(`removed ${plural(result.messages, 'message')} of "${name}"`)
}
