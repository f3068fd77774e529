export const DEDUPLICATION_MS: number = 5 * 60_000

export interface SentBefore {
  readonly messageId: string
  readonly sequence: number
  readonly untilMs: number
}

/** Which deduplication ids a FIFO queue has seen in the last five minutes. */
export class Deduplication {
  readonly #seen = new Map<string, SentBefore>()

  get size(): number {
    return this.#seen.size
  }

  find(key: string, nowMs: number): SentBefore | undefined {
    const sent = this.#seen.get(key)
    return sent !== undefined && nowMs < sent.untilMs ? sent : undefined
  }

  add(key: string, sent: SentBefore, nowMs: number): void {
    this.forget(nowMs)
    this.#seen.delete(key)
    this.#seen.set(key, sent)
  }

  /** Old ones go; they are noted in the order of their ends, but for a wall clock that was set. */
  forget(nowMs: number): void {
    for (const [key, { untilMs }] of this.#seen) {
      if (nowMs < untilMs) return
      this.#seen.delete(key)
    }
  }

  clear(): void {
    this.#seen.clear()
  }
}

/** What a message is recognised by: its id, and with the scope `messageGroup` its group. Ids have no spaces. */
export function deduplicationKey(scope: string | undefined, group: string, id: string): string {
  return scope === 'messageGroup' ? `${group} ${id}` : id
}
