import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import type { CommandContext } from '../command-context.ts'
import { UsageError } from '../command-errors.ts'

export interface PutInput {
  readonly stream: Readable
  /** Undefined for a pipe. */
  readonly totalBytes: number | undefined
}

/** A file, or standard input for `-`. @throws UsageError the file cannot be read */
export async function openInput({ io }: CommandContext, file: string): Promise<PutInput> {
  if (file === '-') return { stream: io.stdin, totalBytes: undefined }
  try {
    const handle = await open(file, 'r')
    const stats = await handle.stat()
    if (stats.isDirectory()) {
      await handle.close()
      throw new UsageError(`FILE: expected newline-delimited JSON, received the folder ${file}`)
    }
    const stream = handle.createReadStream({ highWaterMark: 1024 * 1024 })
    return { stream, totalBytes: stats.isFile() ? stats.size : undefined }
  } catch (error) {
    if (error instanceof UsageError) throw error
    const { code, message } = error as NodeJS.ErrnoException
    const problem = code === 'ENOENT' ? 'there is no such file' : message
    throw new UsageError(`FILE: cannot read ${file}: ${problem}. Name a file, or - for standard input.`)
  }
}
