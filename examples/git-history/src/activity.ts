import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'

/** What the handler does, counted. */
export interface ActivityCounts {
  /** Handlers started and not ended. */
  readonly inFlight: number
  readonly started: number
  /** Attempts after the first one of an event. */
  readonly retries: number
  /** Attempts that this example made fail. */
  readonly failed: number
}

/**
 * Counts attempts; with a file, each change is in the file before the handler goes on, so that another process can
 * read it even of a process that is stopped or dead.
 */
export class Activity {
  #inFlight = 0
  #started = 0
  #retries = 0
  #failed = 0
  readonly #fd: number | undefined

  constructor(file?: string) {
    this.#fd = file === undefined ? undefined : openSync(file, 'w')
    this.#save()
  }

  counts(): ActivityCounts {
    return {
      inFlight: this.#inFlight,
      started: this.#started,
      retries: this.#retries,
      failed: this.#failed,
    }
  }

  begin(attempt: number): void {
    this.#inFlight++
    this.#started++
    if (attempt > 1) this.#retries++
    this.#save()
  }

  fail(): void {
    this.#failed++
  }

  end(): void {
    this.#inFlight--
    this.#save()
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
  }

  #save(): void {
    // Padded: a shorter text over a longer one leaves no remainder.
    if (this.#fd !== undefined) writeSync(this.#fd, JSON.stringify(this.counts()).padEnd(128), 0)
  }
}

export function readActivity(file: string): ActivityCounts {
  return JSON.parse(readFileSync(file, 'utf8')) as ActivityCounts
}
