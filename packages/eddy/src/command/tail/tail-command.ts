import type { Command } from 'commander'
import type { Action } from '../command-context.ts'
import { InterruptedError } from '../command-errors.ts'
import { parseCount } from '../parse-count.ts'
import { parseFrom } from './parse-from.ts'
import { tailShards } from './tail-shards.ts'

interface TailCommandOptions {
  readonly from: string
  readonly shard?: string
  readonly limit: number
  readonly follow: boolean
}

const EXAMPLES = `
Examples:
  eddy tail orders                              what comes from now on
  eddy tail orders --from trim_horizon --limit 5
  eddy tail orders --from 15m --no-follow | jq .event.data
  eddy tail orders --shard shardId-000000000000 --from 1000000000000042

One JSON line an event, with or without --json: shardId, sequenceNumber, partitionKey, arrivedAtMs, event.
Events that came in an aggregate have a subSequenceNumber, their place in it.`

export function tailCommand(program: Command, action: Action): void {
  program
    .command('tail')
    .summary('print the events of a stream as they come')
    .description('Prints the events of a stream as they come, one JSON line each.')
    .argument('<stream>', 'the stream to read')
    .option('--from <position>', 'trim_horizon, latest, a time or a sequence number', 'latest')
    .option('--shard <id>', 'this shard only')
    .option(
      '--limit <n>',
      'end after this many events',
      parseCount('--limit', 1, Number.MAX_SAFE_INTEGER),
      Number.MAX_SAFE_INTEGER,
    )
    .option('--follow', 'wait for more at the end', true)
    .option('--no-follow', 'end at the end')
    .addHelpText('after', EXAMPLES)
    .action(
      action(async (context, stream: string, options: TailCommandOptions) => {
        const { client, io, note, print } = context
        await tailShards({
          client,
          stream,
          ...parseFrom(options.from, Date.now()),
          shardId: options.shard,
          limit: options.limit,
          follow: options.follow,
          signal: io.signal,
          note,
          emit: (record) => print(JSON.stringify(record)),
        })
        if (io.signal.aborted) throw new InterruptedError()
      }),
    )
}
