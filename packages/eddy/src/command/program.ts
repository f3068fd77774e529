import { Command, Option } from 'commander'
import { type Action, createAction, type RunState } from './command-context.ts'
import type { CommandIo } from './command-io.ts'
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

type Register = (program: Command, action: Action) => void

/** By the word that asks for them, in the order of the help. */
const COMMANDS: Readonly<Record<string, () => Promise<Register>>> = {
  start: async () => (await import('./start/start-command.ts')).startCommand,
  put: async () => (await import('./put/put-command.ts')).putCommand,
  tail: async () => (await import('./tail/tail-command.ts')).tailCommand,
  streams: async () => (await import('./streams/streams-commands.ts')).streamsCommands,
  policy: async () => (await import('./policy/policy-commands.ts')).policyCommands,
  queues: async () => (await import('./queues/queues-commands.ts')).queuesCommands,
  subscriptions: async () =>
    (await import('./subscriptions/subscriptions-commands.ts')).subscriptionsCommands,
  failures: async () => (await import('./failures/failures-commands.ts')).failuresCommands,
  backup: async () => (await import('./backup-commands.ts')).backupCommand,
  restore: async () => (await import('./backup-commands.ts')).restoreCommand,
  synth: async () => (await import('./synth/synth-command.ts')).synthCommand,
}

export interface ProgramOptions {
  readonly json: boolean
  /** Commands named in it are the only ones loaded: loading them all would take longer than most of them work. */
  readonly argv: readonly string[]
}

/** The command line of `eddy`: the commands that `argv` names, or all of them when it names none. */
export async function createProgram(
  io: CommandIo,
  state: RunState,
  { json, argv }: ProgramOptions,
): Promise<Command> {
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
  const named = Object.keys(COMMANDS).filter((name) => argv.includes(name))
  for (const name of named.length > 0 ? named : Object.keys(COMMANDS)) {
    const register = await COMMANDS[name]?.()
    register?.(program, action)
  }
  return program
}
