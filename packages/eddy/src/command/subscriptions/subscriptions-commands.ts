import type { Command } from 'commander'
import { type Action, operatorName } from '../command-context.ts'
import { printSubscription, printSubscriptions } from './print-subscription.ts'
import { seekCommand } from './seek-command.ts'

interface ByOptions {
  readonly by?: string
  readonly note?: string
}

interface ResumeFlags extends ByOptions {
  readonly resetBreaker?: boolean
}

export function subscriptionsCommands(program: Command, action: Action): void {
  const subscriptions = program
    .command('subscriptions')
    .summary('list, show, pause, resume, seek')
    .description('Subscriptions: how far they are, what waits, what failed.')
  subscriptions
    .command('list')
    .description('Lists the subscriptions with their lag and failures.')
    .addHelpText('after', '\nExamples:\n  eddy subscriptions list\n  watch -n 2 eddy subscriptions list')
    .action(
      action(async (context) => {
        await printSubscriptions(context, await context.client.listSubscriptions())
      }),
    )
  subscriptions
    .command('show')
    .description('Shows a subscription, shard by shard.')
    .argument('<subscription>')
    .addHelpText('after', '\nExample:\n  eddy subscriptions show billing')
    .action(
      action(async (context, name: string) => {
        await printSubscription(context, await context.client.showSubscription(name))
      }),
    )
  byOptions(subscriptions.command('pause').description('Stops intake; what is in flight is finished.'))
    .addHelpText('after', '\nExample:\n  eddy subscriptions pause billing --note "bank is down"')
    .action(
      action(async (context, name: string, { by, note }: ByOptions) => {
        const options = { by: operatorName(by), ...(note === undefined ? {} : { note }) }
        await printSubscription(context, await context.client.pauseSubscription(name, options))
      }),
    )
  byOptions(subscriptions.command('resume').description('Goes on after a pause.'))
    .option('--reset-breaker', 'close an open breaker, too: starts ramp up at once')
    .addHelpText(
      'after',
      '\nExamples:\n  eddy subscriptions resume billing\n  eddy subscriptions resume billing --reset-breaker --note "bank is back"',
    )
    .action(
      action(async (context, name: string, { by, note, resetBreaker }: ResumeFlags) => {
        const options = {
          by: operatorName(by),
          ...(note === undefined ? {} : { note }),
          ...(resetBreaker === true && { resetBreaker }),
        }
        await printSubscription(context, await context.client.resumeSubscription(name, options))
      }),
    )
  seekCommand(byOptions(subscriptions.command('seek')), action)
}

function byOptions(command: Command): Command {
  return command
    .argument('<subscription>')
    .option('--by <name>', 'who asks (default: you)')
    .option('--note <text>', 'why')
}
