import { relative } from 'node:path'
import { type Command, Option } from 'commander'
import type { Action, CommandContext } from '../command-context.ts'
import { asConfiguration, UsageError } from '../command-errors.ts'
import { type Column, table } from '../format/table.ts'
import { loadConstructs } from './load-constructs.ts'

interface SynthOptions {
  readonly name: string
  readonly out: string
  readonly stream: readonly (readonly [string, string])[]
  readonly http: string
  readonly httpAuth: string
  readonly patientMappings?: boolean
}

const EXAMPLES = `
Examples:
  eddy synth app.ts --name orders-prod
  eddy synth app.ts --name orders-prod --stream orders=orders-v2     read a stream that is there already
  npx cdk deploy --app cdk.out                                       deploy what was written

It needs no account: account and region are those that it is deployed to. For more options, use the construct EddyApp
of @eddy/cdk in a CDK application of your own.`

export function synthCommand(program: Command, action: Action): void {
  program
    .command('synth')
    .summary('write the CloudFormation template of an application')
    .description(
      'Writes what an application needs on AWS as a CloudFormation template, with the code of its functions.',
    )
    .argument('<app>', 'application file, .ts or .js')
    .requiredOption('--name <name>', 'begins the names of everything: 1 to 32 of a-z 0-9 -, a letter first')
    .option('--out <dir>', 'folder to write to; made when it is not there', 'cdk.out')
    .option('--stream <ours=theirs>', 'a Kinesis stream that is there already; repeatable', streams, [])
    .addOption(
      new Option('--http <way>', 'how ingest and the admin API are reached')
        .choices(['function-url', 'http-api', 'none'])
        .default('function-url'),
    )
    .addOption(
      new Option('--http-auth <auth>', 'who may call it: whoever signs with IAM, or has a token')
        .choices(['iam', 'token'])
        .default('iam'),
    )
    .option('--patient-mappings', 'wait and try again when Lambda’s limits refuse a mapping')
    .addHelpText('after', EXAMPLES)
    .action(action(synth))
}

async function synth(context: CommandContext, entry: string, options: SynthOptions): Promise<void> {
  const constructs = await loadConstructs(entry)
  const { http, httpAuth, name, out, patientMappings = false, stream } = options
  const written = await asConfiguration(
    (async () =>
      constructs.synth({
        entry,
        name,
        outDir: out,
        http,
        httpAuth,
        patientMappings,
        ...(stream.length > 0 && { streams: Object.fromEntries(stream) }),
      }))(),
  )
  if (context.json) return await context.printJson(written)
  const { resources, stack, template } = written
  await context.print(table(Object.entries(resources), COLUMNS, context.paint))
  await context.print(
    `\n${relative('', template)} is the template of ${stack}. Deploy it with: npx cdk deploy --app ${out}`,
  )
}

const COLUMNS: readonly Column<readonly [string, number]>[] = [
  { title: 'RESOURCE', value: ([type]) => type.replace('AWS::', '') },
  { title: 'COUNT', align: 'right', value: ([, count]) => count },
]

function streams(
  text: string,
  before: readonly (readonly [string, string])[],
): readonly (readonly [string, string])[] {
  const [ours = '', theirs = '', ...rest] = text.split('=')
  if (ours === '' || theirs === '' || rest.length > 0) {
    throw new UsageError(
      `--stream: expected the application's name and that of the Kinesis stream, such as orders=orders-v2, received ${JSON.stringify(text)}`,
    )
  }
  return [...before, [ours, theirs]]
}
