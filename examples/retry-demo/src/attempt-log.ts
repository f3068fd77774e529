import type { AttemptPath } from 'eddy'

export interface LoggedAttempt {
  readonly subscription: string
  readonly eventId: string
  readonly visitor: string
  readonly attempt: number
  readonly path: AttemptPath
  readonly result: 'handled' | 'failed'
  readonly at: string
}

const MAX_ATTEMPTS_KEPT = 1_000

/** What the handler did, newest last; for people and tests to look at. Keeps the last 1,000 attempts. */
export class AttemptLog {
  #attempts: LoggedAttempt[] = []

  add(attempt: LoggedAttempt): void {
    this.#attempts.push(attempt)
    if (this.#attempts.length > MAX_ATTEMPTS_KEPT) this.#attempts = this.#attempts.slice(-MAX_ATTEMPTS_KEPT)
  }

  list(): readonly LoggedAttempt[] {
    return this.#attempts
  }
}
