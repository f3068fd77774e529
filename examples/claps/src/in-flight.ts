import { openSync, writeSync } from 'node:fs'

/** How many handlers have begun and not ended, in a file: it can be read even of a process that stands still or is dead. */
export class InFlight {
  readonly #fd: number
  #count = 0

  constructor(file: string) {
    this.#fd = openSync(file, 'w')
    this.#add(0)
  }

  begin(): void {
    this.#add(1)
  }

  end(): void {
    this.#add(-1)
  }

  #add(count: number): void {
    this.#count += count
    // Padded: a shorter number over a longer one leaves no remainder.
    writeSync(this.#fd, String(this.#count).padEnd(8), 0)
  }
}
