import type { WriteStream } from 'node:fs'
import { open, realpath } from 'node:fs/promises'
import { basename } from 'node:path'
import { finished } from 'node:stream/promises'
import { UsageError } from '../command-errors.ts'
import { writeTo } from '../command-io.ts'
import type { Line } from './line-reader.ts'

interface FailedLine {
  readonly line: Line
  readonly code: string
  readonly reason: string
}

/** Where lines that were not accepted go, as NDJSON: lineNumber, offset, code, reason, and the line itself. */
export interface FailedFile {
  /** Undefined until the first failed line, unless the file was named. */
  readonly path: string | undefined
  write(failed: FailedLine): Promise<void>
  close(): Promise<void>
}

const MAX_NAMES = 1_000

/**
 * With `named`, that file is emptied now. Without, the first failed line makes `<input>.failed.ndjson` in the working
 * folder (or the next free `.2`, `.3`…: an earlier run's failures are never overwritten).
 *
 * @throws UsageError the failed file is the input itself, or cannot be written
 */
export async function openFailedFile(named: string | undefined, input: string): Promise<FailedFile> {
  let path = named
  let stream: WriteStream | undefined
  let problem: Error | undefined
  const start = async (file: string, flags: 'w' | 'wx') => {
    const handle = await open(file, flags)
    path = file
    stream = handle.createWriteStream()
    stream.on('error', (error) => {
      problem = error
    })
  }
  if (named !== undefined) {
    await refuseInput(named, input)
    await start(named, 'w').catch((error: Error) => {
      throw new UsageError(
        `--failed: cannot write ${named}: ${error.message}. Name a file in a folder that is there and can be written to.`,
        {},
        { cause: error },
      )
    })
  }
  return {
    get path() {
      return path
    },
    async write(failed) {
      if (stream === undefined) await startFree(defaultName(input), (file) => start(file, 'wx'))
      await writeTo(stream as WriteStream, `${JSON.stringify(entryOf(failed))}\n`)
      if (problem !== undefined) throw problem
    },
    async close() {
      if (stream === undefined) return
      stream.end()
      await finished(stream)
    },
  }
}

function entryOf({ line, code, reason }: FailedLine): object {
  const raw = line.bytes.toString('utf8')
  const isText = Buffer.from(raw, 'utf8').equals(line.bytes)
  const isWhole = line.bytes.length === line.totalBytes
  return {
    lineNumber: line.number,
    offset: line.offset,
    code,
    reason,
    ...(isText ? { raw } : { rawBase64: line.bytes.toString('base64') }),
    ...(isWhole ? {} : { truncated: true, lineBytes: line.totalBytes }),
  }
}

function defaultName(input: string): string {
  return input === '-' ? 'stdin.failed.ndjson' : `${basename(input)}.failed.ndjson`
}

async function startFree(name: string, start: (file: string) => Promise<void>): Promise<void> {
  for (let number = 1; ; number += 1) {
    try {
      await start(number === 1 ? name : `${name}.${number}`)
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || number >= MAX_NAMES) throw error
    }
  }
}

async function refuseInput(named: string, input: string): Promise<void> {
  if (input === '-') return
  const [failed, source] = await Promise.all([realpath(named).catch(() => undefined), realpath(input)])
  if (failed === source) {
    throw new UsageError(
      `--failed: expected another file than the input, received ${named}. It would be emptied.`,
    )
  }
}
