import type { PreparedItem } from '@eddy/core'
import type { Command } from 'commander'
import { HttpQueueLog } from '../../client/http-queue-log.ts'
import { MESSAGE_LANE } from '../../client/send-messages.ts'
import type { Action, CommandContext } from '../command-context.ts'
import { UsageError } from '../command-errors.ts'
import { parseDurationMs, requireDurationMs, timeOf } from '../format/time.ts'
import { refusalOf } from '../put/line-events.ts'
import type { PutItem } from '../put/put-source.ts'
import type { PutTarget } from '../put/put-target.ts'
import { type PutRunOptions, putOptions, runPut } from '../put/run-put.ts'

interface QueuePutOptions extends PutRunOptions {
  readonly group?: string
  readonly delay?: string
  readonly at?: string
  readonly deduplicationIdField?: string
  readonly type?: string
}

const EXAMPLES = `
Examples:
  eddy queues put emails emails.ndjson --deduplication-id-field orderId
  echo '{"to":"ada@example.org"}' | eddy queues put emails - --delay 15m

Every line is one JSON value. It becomes the data of one message. Lines that are not accepted go to the failed file with
their number and the reason; the exit status is then 3. After an interruption, --from-line and --producer-id of the message
go on where it stopped; lines that were sent are known again for the queue's deduplication window, 5 minutes by default.`

export function queuePutCommand(queues: Command, action: Action): void {
  const command = queues
    .command('put')
    .description('Sends newline-delimited JSON of any size to a queue.')
    .argument('<queue>', 'the queue to send to')
    .argument('[file]', 'a file, or - for standard input', '-')
    .option('--group <field>', 'field of each line that is its group, instead of the one the queue names')
    .option('--delay <duration>', 'not handled earlier than in this time')
    .option('--at <time>', 'not handled before: ISO 8601 or epoch milliseconds')
    .option('--deduplication-id-field <field>', 'field of each line that is its deduplication id')
    .option('--type <type>', 'type of the events')
    .addHelpText('after', EXAMPLES)
  putOptions(command).action(action(put))
}

async function put(
  context: CommandContext,
  queue: string,
  file: string,
  options: QueuePutOptions,
): Promise<void> {
  const { group, type, deduplicationIdField: deduplicationId } = options
  const query = { raw: true, group, type, deduplicationId, ...delayOf(options) }
  const target: PutTarget = {
    name: queue,
    log: new HttpQueueLog(context.client.transport, query),
    toRecord: messageOfLine,
  }
  await runPut(context, file, target, options)
}

/** The server reads the line: it knows the queue's group. */
function messageOfLine({ line }: PutItem, id: string): PreparedItem {
  const refusal = refusalOf(line)
  if (refusal !== undefined) return { ok: false, outcome: refusal }
  return { ok: true, record: { key: MESSAGE_LANE, data: line.bytes, id } }
}

function delayOf({ delay, at }: QueuePutOptions): { readonly delayMs?: number; readonly at?: number } {
  if (delay !== undefined && at !== undefined)
    throw new UsageError('--at: expected either --delay or --at, received both')
  if (delay !== undefined) return { delayMs: requireDurationMs(delay, '--delay') }
  return at === undefined ? {} : { at: requireTimeMs(at) }
}

/** A span alone is refused: elsewhere in the command it is one that lies behind, and here the message would go at once. */
function requireTimeMs(at: string): number {
  const timeMs = parseDurationMs(at) === undefined ? timeOf(at, Date.now()) : undefined
  if (timeMs !== undefined) return timeMs
  throw new UsageError(
    `--at: expected a time such as 2026-01-31T12:00:00Z or epoch milliseconds (for a span from now: --delay 15m), received ${JSON.stringify(at)}`,
  )
}
