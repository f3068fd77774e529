import { isUtf8 } from 'node:buffer'
import type { Outcome, RecordSender } from '../../client/record-sender.ts'
import type { Query } from '../../client/transport.ts'
import { type Batch, BatchLane } from './batch-lane.ts'
import type { FailedFile } from './failed-file.ts'
import type { Line } from './line-reader.ts'

export interface PutCounts {
  sent: number
  failed: number
  /** Of the accepted lines, without line ends. */
  bytes: number
  /** Of the input, read so far. */
  readBytes: number
  /** The last line up to which every line has been accepted or is in the failed file. */
  settledLine: number
}

export interface PutOptions {
  /** Of the stream's records or the queue's messages. */
  readonly path: string
  readonly query: Query
  readonly sender: RecordSender
  readonly failedFile: FailedFile
  readonly batchRecords: number
  /** Lines before this one were put by an earlier run. */
  readonly fromLine: number
  readonly maxLineBytes: number
  readonly signal: AbortSignal
  readonly onProgress: () => void
  /** Stops the input. */
  readonly onFailure: () => void
}

/**
 * Sends lines in batches, one request in flight while the next batch is read: order is kept, and memory holds two
 * batches however long the input is (I6).
 *
 * A line's producer sequence is its place among the lines that are not empty, so a second run with the same producer
 * id repeats the same sequences.
 *
 * @returns when the input ended or the signal stopped it; `counts` is kept up to date on the way
 */
export async function putLines(
  chunks: AsyncIterable<readonly Line[]>,
  counts: PutCounts,
  options: PutOptions,
): Promise<void> {
  const { signal, fromLine, maxLineBytes, onFailure, batchRecords: maxRecords } = options
  const lane = new BatchLane({
    maxRecords,
    send: (batch) => sendBatch(batch, counts, options),
    onFailure,
    signal,
  })
  let sequence = 0
  try {
    for await (const lines of chunks) {
      for (const line of lines) {
        if (signal.aborted) return
        counts.readBytes = line.offset + line.totalBytes
        if (isBlank(line.bytes)) continue
        sequence += 1
        if (line.number < fromLine) continue
        const refusal = localRefusal(line, maxLineBytes)
        if (refusal === undefined) {
          await lane.add(line, sequence)
          continue
        }
        // It takes its sequence, and those of a batch follow by one: the batch before it ends here.
        await lane.flush()
        await lane.settle()
        await refuse(line, refusal, counts, options)
      }
      lane.starve()
    }
    await lane.flush()
  } finally {
    await lane.settle()
  }
}

async function sendBatch(
  { lines, firstSequence }: Batch,
  counts: PutCounts,
  options: PutOptions,
): Promise<void> {
  const { path, query, sender, signal } = options
  const bytes = lines.map((line) => line.bytes)
  const outcomes = await sender.send<Outcome>({ path, query, lines: bytes, firstSequence }, signal)
  for (const [index, line] of lines.entries()) {
    const outcome = outcomes[index] as Outcome
    if (outcome.ok) {
      counts.sent += 1
      counts.bytes += line.bytes.length
      counts.settledLine = line.number
    } else {
      await refuse(line, { code: outcome.code, reason: outcome.message }, counts, options)
    }
  }
  options.onProgress()
}

async function refuse(
  line: Line,
  { code, reason }: { code: string; reason: string },
  counts: PutCounts,
  { failedFile }: PutOptions,
): Promise<void> {
  counts.failed += 1
  await failedFile.write({ line, code, reason })
  counts.settledLine = line.number
}

function localRefusal(line: Line, maxLineBytes: number): { code: string; reason: string } | undefined {
  if (line.bytes.length < line.totalBytes) {
    const reason = `the line has ${line.totalBytes} bytes, the limit is ${maxLineBytes}`
    return { code: 'too-large', reason }
  }
  if (!isUtf8(line.bytes)) return { code: 'EDDY_INVALID_EVENT', reason: 'the line is not valid UTF-8' }
  return undefined
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)
}
