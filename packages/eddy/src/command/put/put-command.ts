import type { Command } from 'commander'
import { HttpLog } from '../../client/http-log.ts'
import type { Action, CommandContext } from '../command-context.ts'
import { UsageError } from '../command-errors.ts'
import { awsTarget } from './aws-target.ts'
import { eventOfLine, type LineEvents } from './line-events.ts'
import type { PutTarget } from './put-target.ts'
import { orderingOption, type PutRunOptions, putOptions, runPut } from './run-put.ts'

interface PutCommandOptions extends PutRunOptions {
  readonly key: string
  readonly explicitHashKeyField?: string
  readonly type?: string
  readonly awsEndpoint?: string
  readonly region?: string
}

const EXAMPLES = `
Examples:
  eddy put orders orders.ndjson --key customer.id
  gunzip -c clicks.ndjson.gz | eddy put clicks - --key user --failed bad.ndjson
  eddy put orders orders.ndjson --key customer.id --aws-endpoint http://127.0.0.1:4566 --region us-east-1

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
    .addOption(orderingOption())
    .option('--aws-endpoint <url>', 'put over the Kinesis API of this address instead of --url')
    .option('--aggregate', 'with --aws-endpoint: many events in one record, in the format of the KPL')
    .option('--region <name>', 'with --aws-endpoint: the region (default: as the AWS SDK finds it)')
    .addHelpText('after', EXAMPLES)
  putOptions(command).action(action(put))
}

async function put(
  context: CommandContext,
  stream: string,
  file: string,
  options: PutCommandOptions,
): Promise<void> {
  await runPut(context, file, await targetOf(context, stream, options), options)
}

async function targetOf(
  { client }: CommandContext,
  stream: string,
  options: PutCommandOptions,
): Promise<PutTarget> {
  const { key, explicitHashKeyField, type, awsEndpoint, region, ordering } = options
  const lines: LineEvents = {
    stream,
    keyField: key,
    ...(explicitHashKeyField !== undefined && { explicitHashKeyField }),
    ...(type !== undefined && { type }),
  }
  if (awsEndpoint === undefined) {
    if (region !== undefined)
      throw new UsageError('--region: expected --aws-endpoint beside it, since only Kinesis has regions')
    if (options.aggregate === true)
      throw new UsageError(
        '--aggregate: expected --aws-endpoint beside it, since HTTP takes events one by one',
      )
    const log = new HttpLog(client.transport)
    return { name: stream, log, toRecord: ({ line }, id) => eventOfLine(line, id, lines) }
  }
  if (!/^https?:\/\/[^/@]+\/?$/.test(awsEndpoint))
    throw new UsageError(
      '--aws-endpoint: expected an address such as http://127.0.0.1:4566, or https://kinesis.eu-west-1.amazonaws.com',
    )
  const isUnordered = ordering === 'none'
  return await awsTarget(lines, {
    endpoint: awsEndpoint,
    isUnordered,
    ...(region !== undefined && { region }),
  })
}
