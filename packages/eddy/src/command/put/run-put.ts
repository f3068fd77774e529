import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import type { Command } from 'commander'
import { MAX_BATCH_RECORDS, MAX_RECORD_BYTES, RecordSender } from '../../client/record-sender.ts'
import type { Query } from '../../client/transport.ts'
import type { CommandContext } from '../command-context.ts'
import { InterruptedError, UsageError } from '../command-errors.ts'
import { EXIT } from '../exit-code.ts'
import { createProgress } from '../format/progress.ts'
import { requireDurationMs } from '../format/time.ts'
import { parseCount } from '../parse-count.ts'
import { type FailedFile, openFailedFile } from './failed-file.ts'
import { readLines } from './line-reader.ts'
import { type PutCounts, putLines } from './put-lines.ts'
import { progressText, resumeHint, summary, summaryText } from './put-report.ts'

export interface PutRunOptions {
  readonly failed?: string
  readonly batch: number
  readonly fromLine: number
  readonly producerId?: string
  readonly giveUpAfter: string
}

export interface PutTarget {
  readonly path: string
  readonly query: Query
}

/** What a file is sent with, wherever it goes. */
export function putOptions(command: Command): Command {
  return command
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
}

interface Input {
  readonly name: string
  readonly stream: Readable
  /** Undefined for a pipe. */
  readonly totalBytes: number | undefined
}

/** Sends a file, line by line, and tells how it went. @throws UsageError, ConnectionError, RemoteError, InterruptedError */
export async function runPut(
  context: CommandContext,
  file: string,
  target: PutTarget,
  options: PutRunOptions,
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
      ...target,
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
