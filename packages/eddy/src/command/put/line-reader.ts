/** A line as it came, without its line end. `bytes` is a view: use it before asking for many more lines. */
export interface Line {
  /** 1 for the first line of the input. */
  readonly number: number
  /** Bytes before the line's first. */
  readonly offset: number
  readonly bytes: Buffer
  /** Length of the whole line; more than `bytes.length` when the line was too long to keep. */
  readonly totalBytes: number
}

export interface LineReaderOptions {
  /** A longer line is skipped as it arrives; only its first `keepBytes` are kept. */
  readonly maxLineBytes: number
  readonly keepBytes?: number
}

const LF = 10
const CR = 13

/**
 * Splits bytes into lines: ends of LF or CRLF, a last line without an end, a leading UTF-8 byte order mark removed.
 * Hands out the lines of one chunk at a time; never holds more than one chunk and one unfinished line (I6).
 */
export async function* readLines(
  chunks: AsyncIterable<Buffer>,
  { maxLineBytes, keepBytes = 4_096 }: LineReaderOptions,
): AsyncGenerator<readonly Line[]> {
  const unfinished = createUnfinishedLine(maxLineBytes, keepBytes)
  let number = 1
  let offset = 0
  for await (const chunk of chunks) {
    const lines: Line[] = []
    let start = 0
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, start)) {
      const { bytes, totalBytes } = unfinished.finish(chunk.subarray(start, end))
      lines.push(toLine(number, offset, bytes, totalBytes))
      number += 1
      offset += totalBytes + 1
      start = end + 1
    }
    unfinished.add(chunk.subarray(start))
    if (lines.length > 0) yield lines
  }
  const { bytes, totalBytes } = unfinished.finish(Buffer.alloc(0))
  if (totalBytes > 0) yield [toLine(number, offset, bytes, totalBytes)]
}

function toLine(number: number, offset: number, bytes: Buffer, totalBytes: number): Line {
  const isWhole = bytes.length === totalBytes
  const hasMark =
    number === 1 && bytes.length >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
  const start = hasMark ? 3 : 0
  const end = isWhole && bytes.at(-1) === CR ? bytes.length - 1 : bytes.length
  const text = bytes.subarray(start, Math.max(start, end))
  return { number, offset, bytes: text, totalBytes: isWhole ? text.length : totalBytes }
}

interface UnfinishedLine {
  add(part: Buffer): void
  /** The line that ends with `part`; starts the next one. */
  finish(part: Buffer): { readonly bytes: Buffer; readonly totalBytes: number }
}

function createUnfinishedLine(maxLineBytes: number, keepBytes: number): UnfinishedLine {
  let parts: Buffer[] = []
  let totalBytes = 0
  const add = (part: Buffer) => {
    if (part.length === 0) return
    totalBytes += part.length
    if (totalBytes <= maxLineBytes) {
      parts.push(part)
      return
    }
    const start = Buffer.concat([...parts, part.subarray(0, keepBytes)])
    parts = [Buffer.from(start.subarray(0, keepBytes))]
  }
  return {
    add,
    finish(part) {
      // The usual case: the whole line lies in one chunk, and nothing is copied.
      if (totalBytes === 0 && part.length <= maxLineBytes) return { bytes: part, totalBytes: part.length }
      add(part)
      const line = { bytes: parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts), totalBytes }
      parts = []
      totalBytes = 0
      return line
    },
  }
}
