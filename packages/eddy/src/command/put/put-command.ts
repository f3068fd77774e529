import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import type { Command } from 'commander'
import { MAX_BATCH_RECORDS, MAX_RECORD_BYTES, RecordSender } from '../../client/record-sender.ts'
import type { Action, CommandContext } from '../command-context.ts'
import { InterruptedError, UsageError } from '../command-errors.ts'
import { EXIT } from '../exit-code.ts'
import { createProgress } from '../format/progress.ts'
import { requireDurationMs } from '../format/time.ts'
import { parseCount } from '../parse-count.ts'
import { type FailedFile, openFailedFile } from './failed-file.ts'
import { readLines } from './line-reader.ts'
import { type PutCounts, putLines } from './put-lines.ts'
import { progressText, resumeHint, summary, summaryText } from './put-report.ts'

interface PutCommandOptions {
  readonly key: string
  readonly explicitHashKeyField?: string
  readonly type?: string
  readonly failed?: string
  readonly batch: number
  readonly fromLine: number
  readonly producerId?: string
  readonly giveUpAfter: string
}

interface Input {
  readonly name: string
  readonly stream: Readable
  /** Undefined for a pipe. */
  readonly totalBytes: number | undefined
}

const EXAMPLES = `
Examples:
  eddy put orders orders.ndjson --key customer.id
  gunzip -c clicks.ndjson.gz | eddy put clicks - --key user --failed bad.ndjson

Every line is one JSON value. It becomes the data of one event; FIELD (a dot path) of it is the partition key.
Lines that are not accepted go to the failed file with their number and the reason; the exit status is then 3.
After an interruption, --from-line and --producer-id of the message go on where it stopped, without copies.`

export function putCommand(program: Command, action: Action): void {
  program
    .command('put')
    .summary('append newline-delimited JSON to a stream')
    .description('Appends newline-delimited JSON of any size to a stream.')
    .argument('<stream>', 'the stream to append to')
    .argument('[file]', 'a file, or - for standard input', '-')
    .requiredOption('--key <field>', 'field of each line that is the partition key (dot path)')
    .option('--explicit-hash-key-field <field>', 'field that places the record instead of the key')
    .option('--type <type>', 'type of the events')
    .option('--failed <file>', 'where lines that were not accepted go (default: FILE.failed.ndjson)')
    .option(
      '--batch <n>',
      'lines in a request',
      parseCount('--batch', 1, MAX_BATCH_RECORDS),
      MAX_BATCH_RECORDS,
    )
    .option('--from-line <n>', 'begin at this line', parseCount('--from-line', 1, Number.MAX_SAFE_INTEGER), 1)
    .option('--producer-id <id>', 'repeat under this id what an interrupted run may have sent')
    .option('--give-up-after <duration>', 'stop when the server takes nothing for this long', '60s')
    .addHelpText('after', EXAMPLES)
    .action(action(put))
}

async function put(
  context: CommandContext,
  stream: string,
  file: string,
  options: PutCommandOptions,
): Promise<void> {
  const { io } = context
  const giveUpAfterMs = requireDurationMs(options.giveUpAfter, '--give-up-after')
  const input = await openInput(context, file)
  const failedFile = await openFailedFile(options.failed, file).catch((error: unknown) => {
    input.stream.destroy()
    throw error
  })
  const progress = createProgress(io)
  const startedAtMs = performance.now()
  const seconds = () => (performance.now() - startedAtMs) / 1_000
  const sender = new RecordSender({
    transport: context.client.transport,
    giveUpAfterMs,
    ...(options.producerId === undefined ? {} : { producerId: options.producerId }),
    onRetry: (problem, delayMs) => progress.update(() => `${problem}; again in ${delayMs} ms`),
  })
  const counts: PutCounts = { sent: 0, failed: 0, bytes: 0, readBytes: 0, settledLine: options.fromLine - 1 }
  const stop = () => input.stream.destroy()
  io.signal.addEventListener('abort', stop, { once: true })
  let problem: unknown
  try {
    await putLines(readLines(input.stream, { maxLineBytes: MAX_RECORD_BYTES }), counts, {
      stream,
      query: {
        key: options.key,
        raw: true,
        explicitHashKeyField: options.explicitHashKeyField,
        type: options.type,
      },
      sender,
      failedFile,
      batchRecords: options.batch,
      fromLine: options.fromLine,
      maxLineBytes: MAX_RECORD_BYTES,
      signal: io.signal,
      onFailure: stop,
      onProgress: () => progress.update(() => progressText(counts, seconds(), input.totalBytes)),
    })
  } catch (error) {
    if (!io.signal.aborted) problem = error
  } finally {
    io.signal.removeEventListener('abort', stop)
    input.stream.destroy()
    progress.clear()
    await failedFile.close()
  }
  await finish(context, { counts, seconds: seconds(), sender, failedFile, input, problem })
}

async function finish(
  context: CommandContext,
  run: {
    readonly counts: PutCounts
    readonly seconds: number
    readonly sender: RecordSender
    readonly failedFile: FailedFile
    readonly input: Input
    readonly problem: unknown
  },
): Promise<void> {
  const { counts, seconds, sender, failedFile, problem } = run
  const isInterrupted = context.io.signal.aborted
  const failedPath = counts.failed > 0 ? failedFile.path : undefined
  const report = summary(counts, seconds, { failedPath, producerId: sender.producerId })
  if (context.json) await context.printJson(report)
  else await context.print(summaryText(report))
  if (isInterrupted || problem !== undefined) {
    // Refused before anything was settled or could be stored: there is nothing to go on with.
    if (isInterrupted || counts.sent + counts.failed > 0 || sender.mayHaveStored) {
      await context.note(resumeHint(counts, sender.producerId))
    }
    throw problem ?? new InterruptedError(`interrupted after line ${counts.settledLine}`)
  }
  if (counts.failed > 0) context.exitWith(EXIT.partial)
}

/** @throws UsageError the file cannot be read */
async function openInput({ io }: CommandContext, file: string): Promise<Input> {
  if (file === '-') return { name: 'standard input', stream: io.stdin, totalBytes: undefined }
  try {
    const handle = await open(file, 'r')
    const stats = await handle.stat()
    if (stats.isDirectory()) {
      await handle.close()
      throw new UsageError(`FILE: expected newline-delimited JSON, received the folder ${file}`)
    }
    const stream = handle.createReadStream({ highWaterMark: 1024 * 1024 })
    return { name: file, stream, totalBytes: stats.isFile() ? stats.size : undefined }
  } catch (error) {
    if (error instanceof UsageError) throw error
    const { code, message } = error as NodeJS.ErrnoException
    const problem = code === 'ENOENT' ? 'there is no such file' : message
    throw new UsageError(`FILE: cannot read ${file}: ${problem}. Name a file, or - for standard input.`)
  }
}
