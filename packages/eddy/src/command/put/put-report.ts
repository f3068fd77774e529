import { bar } from '../format/progress.ts'
import { byteSize, count, plural } from '../format/quantity.ts'
import { duration } from '../format/time.ts'
import type { PutEnd } from './put-run.ts'

export interface PutCounts {
  sent: number
  failed: number
  /** Of the accepted lines, without line ends. */
  bytes: number
  /** Of the input, of lines that were accepted or are in the failed file. */
  doneBytes: number
  /** The last line up to which every line has been accepted or is in the failed file. */
  settledLine: number
}

/** The last line of `eddy put`, as data. */
export interface PutSummary {
  readonly sent: number
  readonly failed: number
  readonly bytes: number
  readonly seconds: number
  /** `deadline`, `interrupted` and `failed`: lines after `lastLine` may not be stored. */
  readonly end: PutEnd
  /** The last line that is settled: accepted, or in the failed file. */
  readonly lastLine: number
  readonly producerId: string
  readonly failedFile?: string
}

export function summary(
  { sent, failed, bytes, settledLine }: PutCounts,
  ended: { seconds: number; end: PutEnd; failedPath: string | undefined; producerId: string },
): PutSummary {
  const { seconds, end, failedPath, producerId } = ended
  return {
    sent,
    failed,
    bytes,
    seconds: Number(seconds.toFixed(3)),
    end,
    lastLine: settledLine,
    producerId,
    ...(failedPath === undefined ? {} : { failedFile: failedPath }),
  }
}

export function summaryText({ sent, failed, bytes, seconds, failedFile }: PutSummary): string {
  const where = failedFile === undefined ? '' : ` (see ${failedFile})`
  return `sent ${sent}, failed ${failed}${where}, ${bytes} bytes, ${seconds} seconds`
}

export function resumeHint({ sent, settledLine }: PutCounts, producerId: string): string {
  const next = `--from-line ${settledLine + 1} --producer-id ${producerId}`
  return `${plural(sent, 'line')} accepted. Lines after ${settledLine} may not be stored: go on with the same command and ${next}`
}

/** The line fits a terminal of 80 columns, up to hundreds of millions of lines and terabytes. */
const BAR_WIDTH = 10
/** The first answers say little of the pace. */
const FORECAST_AFTER_SECONDS = 1

export function progressText(counts: PutCounts, seconds: number, totalBytes: number | undefined): string {
  const { sent, failed, doneBytes } = counts
  const perSecond = seconds > 0 ? (sent + failed) / seconds : 0
  const parts = [
    ...(totalBytes === undefined ? [] : [bar(doneBytes, totalBytes, BAR_WIDTH)]),
    `${count(sent)} sent`,
    ...(failed === 0 ? [] : [`${count(failed)} failed`]),
    `${count(perSecond)}/s`,
    totalBytes === undefined ? byteSize(doneBytes) : `${byteSize(doneBytes)} of ${byteSize(totalBytes)}`,
  ]
  const isEarly = seconds < FORECAST_AFTER_SECONDS || doneBytes === 0
  if (totalBytes !== undefined && !isEarly && doneBytes < totalBytes) {
    parts.push(`${duration((seconds * 1_000 * (totalBytes - doneBytes)) / doneBytes)} left`)
  }
  return parts.join('  ')
}
