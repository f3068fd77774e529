import type { ThrottledCounts } from '../ports/log.ts'

/** What limits refused since the start, by stream. */
export class ThrottleCounts {
  readonly #counts = new Map<string, { entries: number; reads: number }>()

  add(stream: string, what: 'entries' | 'reads', count: number): void {
    if (count === 0) return
    let counts = this.#counts.get(stream)
    if (counts === undefined) {
      counts = { entries: 0, reads: 0 }
      this.#counts.set(stream, counts)
    }
    counts[what] += count
  }

  forget(stream: string): void {
    this.#counts.delete(stream)
  }

  list(): readonly ThrottledCounts[] {
    return [...this.#counts]
      .map(([stream, { entries, reads }]) => ({ stream, entries, reads }))
      .sort((a, b) => (a.stream < b.stream ? -1 : 1))
  }
}
