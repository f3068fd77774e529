import type { Logger } from '@eddy/core'

export interface LogLine {
  readonly level: 'warn' | 'error'
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

const MAX_LINES = 1_000

/** The last lines that the runtime logged. */
export class HarnessLogs {
  readonly lines: LogLine[] = []
  readonly logger: Logger = {
    debug() {},
    info() {},
    warn: (fields, message) => this.#add({ level: 'warn', message, fields }),
    error: (fields, message) => this.#add({ level: 'error', message, fields }),
  }

  #add(line: LogLine): void {
    this.lines.push(line)
    if (this.lines.length > MAX_LINES) this.lines.shift()
  }
}
