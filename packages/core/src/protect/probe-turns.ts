/** How many failed probings are remembered. */
const MEMORY = 50
/** What an event of the latest lets the others go ahead, unless half of the pause is less. */
const MAX_YIELD_MS = 1_000

/**
 * Whose turn it is to be a probe: what failed in a probing lately lets others go first, least recently probed ones
 * ahead of all. Otherwise the same five events would be each probing's sample, and an outage would use up their
 * attempts one by one.
 *
 * Holds the failed events of the last 50 probings; who failed before counts as one that was never probed.
 */
export class ProbeTurns {
  /** Positions, the latest probing last. */
  readonly #failed: ReadonlySet<string>[] = []

  /** A probing has failed. */
  note(events: ReadonlySet<string>): void {
    this.#failed.push(events)
    if (this.#failed.length > MEMORY) this.#failed.shift()
  }

  /** The downstream works again. */
  clear(): void {
    this.#failed.length = 0
  }

  /** How long after a probing's begin an event asks for its turn, in milliseconds. */
  yieldMs(position: string, pauseMs: number): number {
    const index = this.#failed.findLastIndex((events) => events.has(position))
    if (index === -1) return 0
    const rank = MEMORY - (this.#failed.length - 1 - index)
    return Math.ceil((Math.min(MAX_YIELD_MS, pauseMs / 2) * rank) / MEMORY)
  }
}
