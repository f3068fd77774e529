import type { Command } from 'commander'
import { recordsPath } from '../../client/record-sender.ts'
import type { Action, CommandContext } from '../command-context.ts'
import { type PutRunOptions, putOptions, runPut } from './run-put.ts'

interface PutCommandOptions extends PutRunOptions {
  readonly key: string
  readonly explicitHashKeyField?: string
  readonly type?: string
}

const EXAMPLES = `
Examples:
  eddy put orders orders.ndjson --key customer.id
  gunzip -c clicks.ndjson.gz | eddy put clicks - --key user --failed bad.ndjson

Every line is one JSON value. It becomes the data of one event; FIELD (a dot path) of it is the partition key.
Lines that are not accepted go to the failed file with their number and the reason; the exit status is then 3.
After an interruption, --from-line and --producer-id of the message go on where it stopped, without copies.`

export function putCommand(program: Command, action: Action): void {
  const command = program
    .command('put')
    .summary('append newline-delimited JSON to a stream')
    .description('Appends newline-delimited JSON of any size to a stream.')
    .argument('<stream>', 'the stream to append to')
    .argument('[file]', 'a file, or - for standard input', '-')
    .requiredOption('--key <field>', 'field of each line that is the partition key (dot path)')
    .option('--explicit-hash-key-field <field>', 'field that places the record instead of the key')
    .option('--type <type>', 'type of the events')
    .addHelpText('after', EXAMPLES)
  putOptions(command).action(action(put))
}

async function put(
  context: CommandContext,
  stream: string,
  file: string,
  options: PutCommandOptions,
): Promise<void> {
  const { key, explicitHashKeyField, type } = options
  const query = { key, raw: true, explicitHashKeyField, type }
  await runPut(context, file, { path: recordsPath(stream), query }, options)
}
