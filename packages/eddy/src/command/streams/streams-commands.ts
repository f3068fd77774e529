import type { Command } from 'commander'
import type { Action, CommandContext } from '../command-context.ts'
import { table } from '../format/table.ts'
import { duration } from '../format/time.ts'
import { changeCommands } from './change-commands.ts'
import { printStream } from './print-stream.ts'

export function streamsCommands(program: Command, action: Action): void {
  const streams = program
    .command('streams')
    .summary('list, show, create, split, merge, delete')
    .description('Streams and their shards.')
  streams
    .command('list')
    .description('Lists the streams.')
    .addHelpText('after', '\nExamples:\n  eddy streams list\n  eddy streams list --json | jq -r .[].name')
    .action(action((context) => listStreams(context)))
  streams
    .command('show')
    .description('Shows a stream, its shards and who reads it.')
    .argument('<stream>')
    .addHelpText('after', '\nExample:\n  eddy streams show orders')
    .action(
      action(async (context, name: string) => {
        await printStream(context, await context.client.showStream(name))
      }),
    )
  changeCommands(streams, action)
}

async function listStreams(context: CommandContext): Promise<void> {
  const streams = await context.client.listStreams()
  if (context.json) return await context.printJson(streams)
  if (streams.length === 0) {
    await context.note('There is no stream. Create one with: eddy streams create NAME')
    return
  }
  await context.print(
    table(
      streams,
      [
        { title: 'STREAM', value: ({ name }) => name },
        { title: 'SHARDS', align: 'right', value: ({ shardCount }) => shardCount },
        { title: 'RETENTION', value: ({ retentionMs }) => duration(retentionMs) },
        { title: 'DURABILITY', value: ({ durability }) => durability },
        { title: 'CREATED', value: ({ createdAtMs }) => new Date(createdAtMs).toISOString() },
      ],
      context.paint,
    ),
  )
}
