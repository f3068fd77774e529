import type { Readable, Writable } from 'node:stream'

/** All that a command touches of its process, so that a test can hand in its own. */
export interface CommandIo {
  readonly stdin: Readable & { readonly isTTY?: boolean }
  readonly stdout: Writable & { readonly isTTY?: boolean }
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number }
  readonly env: Readonly<Record<string, string | undefined>>
  /** Aborts with an InterruptedError on Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal
}

/** Writes and waits while the reader is slow, so that no output piles up in memory. */
export async function writeTo(stream: Writable, text: string): Promise<void> {
  if (text === '' || stream.write(text)) return
  await new Promise<void>((resolve) => {
    const done = () => {
      stream.off('drain', done)
      stream.off('close', done)
      resolve()
    }
    stream.once('drain', done)
    stream.once('close', done)
  })
}
