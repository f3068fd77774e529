import type { Tally } from './tally.ts'

export const DEDUPLICATION_MS: number = 5 * 60_000

export interface SentBefore {
  readonly messageId: string
  readonly sequence: number
  readonly untilMs: number
}

/** Which deduplication ids a FIFO queue has seen in the last five minutes. */
export class Deduplication {
  readonly #seen = new Map<string, SentBefore>()
  readonly #tally: Tally

  constructor(tally: Tally) {
    this.#tally = tally
  }

  find(key: string, nowMs: number): SentBefore | undefined {
    const sent = this.#seen.get(key)
    return sent !== undefined && nowMs < sent.untilMs ? sent : undefined
  }

  add(key: string, sent: SentBefore, nowMs: number): void {
    this.forget(nowMs)
    this.#remove(key)
    this.#seen.set(key, sent)
    this.#tally.used++
  }

  /** Old ones go; they are noted in the order of their ends, but for a wall clock that was set. */
  forget(nowMs: number): void {
    for (const [key, { untilMs }] of this.#seen) {
      if (nowMs < untilMs) return
      this.#remove(key)
    }
  }

  clear(): void {
    for (const key of [...this.#seen.keys()]) this.#remove(key)
  }

  #remove(key: string): void {
    if (this.#seen.delete(key)) this.#tally.used--
  }
}

/** What a message is recognised by: its id, and with the scope `messageGroup` its group. Ids have no spaces. */
export function deduplicationKey(scope: string | undefined, group: string, id: string): string {
  return scope === 'messageGroup' ? `${group} ${id}` : id
}
