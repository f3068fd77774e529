import { Command, Option } from 'commander'
import { backupCommands } from './backup-commands.ts'
import { createAction, type RunState } from './command-context.ts'
import type { CommandIo } from './command-io.ts'
import { failuresCommands } from './failures/failures-commands.ts'
import { policyCommands } from './policy/policy-commands.ts'
import { putCommand } from './put/put-command.ts'
import { queuesCommands } from './queues/queues-commands.ts'
import { startCommand } from './start/start-command.ts'
import { streamsCommands } from './streams/streams-commands.ts'
import { subscriptionsCommands } from './subscriptions/subscriptions-commands.ts'
import { tailCommand } from './tail/tail-command.ts'
import { version } from './version.ts'

const EXAMPLES = `
Examples:
  eddy start app.ts --data ./data          run an application: streams, subscriptions, HTTP
  eddy put orders orders.ndjson --key id   append a file to a stream
  eddy tail orders                         watch events as they come
  eddy subscriptions list                  lag, retries and dead letters
  eddy failures list --status dead         what failed for good
  eddy failures redrive --subscription billing --since 2h --dry-run

Exit status: 0 ok, 1 failed, 2 wrong usage, 3 partly failed, 4 configuration or connection, 130 interrupted.
Set NO_COLOR for output without colours.`

/** The whole command line of `eddy`. */
export function createProgram(io: CommandIo, state: RunState, { json }: { json: boolean }): Command {
  const program = new Command('eddy')
    // Before any subcommand, so that each inherits both: usage errors end in exit 2, not in process.exit.
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => {
        if (!json) io.stderr.write(text)
      },
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .configureHelp({ showGlobalOptions: true })
    .description('An event that fails circles in an eddy; the stream runs on.')
    .version(version, '--version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help of a command')
    .addOption(
      new Option('--url <url>', 'address of the server').env('EDDY_URL').default('http://127.0.0.1:4010'),
    )
    .addOption(new Option('--token <token>', 'token of the server').env('EDDY_TOKEN'))
    .option('--json', 'machine-readable output: stdout is only JSON')
    .showSuggestionAfterError(true)
    .addHelpText('after', EXAMPLES)
  const action = createAction(io, state)
  startCommand(program, action)
  putCommand(program, action)
  tailCommand(program, action)
  streamsCommands(program, action)
  policyCommands(program, action)
  queuesCommands(program, action)
  subscriptionsCommands(program, action)
  failuresCommands(program, action)
  backupCommands(program, action)
  return program
}
