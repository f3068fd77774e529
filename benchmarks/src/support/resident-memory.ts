import { readFileSync } from 'node:fs'

/**
 * Anonymous memory of this process in MiB: heap, buffers, stacks, without the pages of files (LMDB maps its file).
 * Where the system does not tell (not Linux), all resident memory.
 */
export function anonymousMiB(): number {
  try {
    const match = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))
    if (match !== null) return Number(match[1]) / 1_024
  } catch {
    // Not Linux.
  }
  return process.memoryUsage.rss() / 1_048_576
}

/** Looks at the memory now and then and keeps the most it saw. */
export class MemoryPeak {
  #peakMiB = anonymousMiB()
  readonly #timer = setInterval(() => this.#look(), 100)

  get peakMiB(): number {
    this.#look()
    return this.#peakMiB
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    this.#peakMiB = Math.max(this.#peakMiB, anonymousMiB())
  }
}
