import type { Ordering } from '@eddy/core'
import { type Command, Option } from 'commander'
import type { CommandContext } from '../command-context.ts'
import { InterruptedError, UsageError } from '../command-errors.ts'
import { EXIT } from '../exit-code.ts'
import { createProgress } from '../format/progress.ts'
import { requireDurationMs } from '../format/time.ts'
import { parseCount } from '../parse-count.ts'
import { type FailedFile, openFailedFile } from './failed-file.ts'
import { MAX_LINE_BYTES } from './line-events.ts'
import { readLines } from './line-reader.ts'
import { openInput } from './put-input.ts'
import { progressText, resumeHint, summary, summaryText } from './put-report.ts'
import { type PutEnd, PutRun } from './put-run.ts'
import type { PutTarget } from './put-target.ts'

const MAX_BATCH_RECORDS = 500
const MAX_PRODUCER_ID_LENGTH = 128

export interface PutRunOptions {
  readonly failed?: string
  readonly batch: number
  readonly fromLine: number
  readonly producerId?: string
  readonly giveUpAfter: string
  readonly deadline?: string
  readonly ordering?: Ordering
  readonly aggregate?: boolean
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
    .option('--give-up-after <duration>', 'stop when a line cannot be stored for this long', '60s')
    .option('--deadline <duration>', 'send nothing more after this time, and say how to go on')
}

/** Of streams alone: a queue orders its groups. */
export function orderingOption(): Option {
  return new Option(
    '--ordering <ordering>',
    'what keeps its order: the lines of a key, of a shard, or nothing',
  )
    .choices(['key', 'strict', 'none'])
    .default('key')
}

/** Sends a file, line by line, and tells how it went. @throws UsageError, PutGaveUpError, RemoteError, InterruptedError */
export async function runPut(
  context: CommandContext,
  file: string,
  target: PutTarget,
  options: PutRunOptions,
): Promise<void> {
  const times = {
    giveUpAfterMs: requireDurationMs(options.giveUpAfter, '--give-up-after'),
    deadlineMs:
      options.deadline === undefined ? undefined : requireDurationMs(options.deadline, '--deadline'),
  }
  const { producerId } = options
  if (producerId !== undefined && (producerId.length < 1 || producerId.length > MAX_PRODUCER_ID_LENGTH))
    throw new UsageError(
      `--producer-id: expected 1 to ${MAX_PRODUCER_ID_LENGTH} characters, received "${producerId}"`,
    )
  const input = await openInput(context, file)
  const failedFile = await openFailedFile(options.failed, file).catch((error: unknown) => {
    input.stream.destroy()
    throw error
  })
  const progress = createProgress(context.io)
  const startedAtMs = performance.now()
  const seconds = () => (performance.now() - startedAtMs) / 1_000
  const run = new PutRun({
    ...times,
    target,
    lines: readLines(input.stream, { maxLineBytes: MAX_LINE_BYTES }),
    failedFile,
    batchRecords: options.batch,
    fromLine: options.fromLine,
    producerId,
    ordering: options.ordering ?? 'key',
    aggregate: options.aggregate === true,
    signal: context.io.signal,
    stopInput: () => input.stream.destroy(),
    onProgress: (counts, trouble) =>
      progress.update(() => trouble ?? progressText(counts, seconds(), input.totalBytes)),
  })
  const ended = await run.run()
  input.stream.destroy()
  progress.clear()
  target.close?.()
  await failedFile.close()
  await tell(context, { run, failedFile, seconds: seconds(), deadline: options.deadline, ...ended })
}

async function tell(
  context: CommandContext,
  ended: {
    readonly run: PutRun
    readonly end: PutEnd
    readonly problem?: unknown
    readonly failedFile: FailedFile
    readonly seconds: number
    readonly deadline: string | undefined
  },
): Promise<void> {
  const { run, end, problem, failedFile, seconds, deadline } = ended
  const { counts, producerId } = run
  const failedPath = counts.failed > 0 ? failedFile.path : undefined
  const report = summary(counts, { seconds, end, failedPath, producerId })
  if (context.json) await context.printJson(report)
  else await context.print(summaryText(report))
  // Refused before anything was settled or could be stored: there is nothing to go on with.
  const isBegun = end === 'interrupted' || counts.sent + counts.failed > 0 || run.mayHaveStored
  if (end === 'deadline') await context.note(`the deadline of ${deadline} is over`)
  if (end !== 'done' && (isBegun || end === 'deadline')) await context.note(resumeHint(counts, producerId))
  if (end === 'interrupted') throw new InterruptedError(`interrupted after line ${counts.settledLine}`)
  if (end === 'failed') throw problem
  if (counts.failed > 0 || end === 'deadline') context.exitWith(EXIT.partial)
}
