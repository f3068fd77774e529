import type { Line } from './line-reader.ts'

/** A line that is to be put. */
export interface PutItem {
  readonly line: Line
  /** Its place among the lines that are not empty, from 1: the same in every run over the same input. */
  readonly sequence: number
  /** Bytes of the input from the end of the item before to the end of its line. */
  readonly inputBytes: number
}

export interface PutSourceOptions {
  /** Lines before this one were put by an earlier run. */
  readonly fromLine: number
  readonly signal: AbortSignal
}

/** The lines to put, in order; empty ones are skipped. Ends quietly when the signal aborts. */
export async function* putItems(
  chunks: AsyncIterable<readonly Line[]>,
  { fromLine, signal }: PutSourceOptions,
): AsyncGenerator<PutItem, void, undefined> {
  let sequence = 0
  let toldBytes = 0
  try {
    for await (const lines of chunks) {
      for (const line of lines) {
        if (signal.aborted) return
        if (isBlank(line.bytes)) continue
        sequence += 1
        if (line.number < fromLine) continue
        const endBytes = line.offset + line.totalBytes
        yield { line, sequence, inputBytes: endBytes - toldBytes }
        toldBytes = endBytes
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
