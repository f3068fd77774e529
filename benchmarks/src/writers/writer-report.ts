/** What a writer's process tells at its end. Times are epoch milliseconds, since the writers have no clock in common else. */
export interface WriterReport {
  readonly startedAtMs: number
  readonly endedAtMs: number
  /** When the last record of the shards without the hot key was stored; equal to the end without a hot key. */
  readonly othersEndedAtMs: number
  readonly accepted: number
  /** Given up. */
  readonly failed: number
  /** Sendings after a record's first one. */
  readonly resent: number
  readonly calls: number
}
