import type { Line } from './line-reader.ts'

/** A line that is to be put. */
export interface PutItem {
  readonly line: Line
  /** Its place among the lines that are not empty, from 1: the same in every run over the same input. */
  readonly sequence: number
}

export interface PutSourceOptions {
  /** Lines before this one were put by an earlier run. */
  readonly fromLine: number
  readonly signal: AbortSignal
  /** Bytes of the input before the end of the latest line. */
  readonly onRead: (bytes: number) => void
}

/** The lines to put, in order; empty ones are skipped. Ends quietly when the signal aborts. */
export async function* putItems(
  chunks: AsyncIterable<readonly Line[]>,
  { fromLine, signal, onRead }: PutSourceOptions,
): AsyncGenerator<PutItem, void, undefined> {
  let sequence = 0
  try {
    for await (const lines of chunks) {
      for (const line of lines) {
        if (signal.aborted) return
        onRead(line.offset + line.totalBytes)
        if (isBlank(line.bytes)) continue
        sequence += 1
        if (line.number >= fromLine) yield { line, sequence }
      }
    }
  } catch (error) {
    // The input was closed because of the signal.
    if (!signal.aborted) throw error
  }
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)
}
