/** What a shard takes a second from all its writers together. */
export interface WriteRate {
  readonly recordsPerSecond: number
  readonly bytesPerSecond: number
}

/** What became of the records of one batch that this shard was predicted for. */
export interface PaceFeedback {
  readonly sentMs: number
  readonly accepted: number
  readonly throttled: number
  /** Of all of them, also of those whose fate is not known: see `ShardPacer.worthMs`. */
  readonly worthMs: number
}

/** What may be sent at once after a pause: a quarter of a second's worth. The service's own bucket holds a second's. */
const BURST_SECONDS = 0.25
/** At the beginning less: many writers that begin together would burst together. */
const FIRST_BURST_SECONDS = 0.05
/** Visits of a shard: as often as there are this many records to take, within these bounds. */
const RECORDS_A_VISIT = 16
const MIN_VISIT_MS = 20
const MAX_VISIT_MS = 100
/** A visit may be this part of its interval early, so that the shards of a stream share their batches. */
const EARLY_PART = 0.4

/**
 * What may be under way without an answer, in time of the whole rate: at first little, and as much more as was accepted.
 * Else a producer would send for as long as the first answer takes, and learn too late that others do the same.
 */
const FIRST_WINDOW_MS = 50
const WIDEST_WINDOW_MS = 2_000

/** Of the whole rate, after a throttle: seconds, their square and their cube are worth this each. See `share`. */
const GROWTH = 0.01
/** After a throttle: at most this of the share before, so that the service's bucket fills again. */
const MOST_AFTER_THROTTLE = 0.85
/** Never less than this part of the whole rate: a shard is never given up. */
const LEAST_SHARE = 0.002
/** A rate that grows comes to a record sooner than it now seems: it is looked at again after this long. */
const LOOK_AGAIN_MS = 250
/** While everything is refused: the first wait is up to this long, and each doubles. */
const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 2_000

/**
 * How fast one producer writes to one shard. Nobody tells a producer who else writes there; throttles do.
 *
 * Begins at the shard's whole rate. A batch of which a part is refused lowers the rate by that part (many writers that
 * begin together come down to their shares in a step or two), once a round trip. Then the rate grows: slowly at first, about
 * where the shard was full a moment ago, and ever faster while nothing is refused, since then others have left. Rates that fall
 * in proportion and grow by equal steps come to equal shares. As the service's bucket holds what was not used for a second,
 * the swings cost no throughput.
 *
 * All chance is handed in; all times are monotonic.
 */
export class ShardPacer {
  #rate: WriteRate
  readonly #random: () => number
  #baseShare: number
  #baseMs: number
  #records: number
  #bytes: number
  #countedMs: number
  #visitedMs = Number.NEGATIVE_INFINITY
  #pausedUntilMs = Number.NEGATIVE_INFINITY
  #refusedRounds = 0
  #windowMs = FIRST_WINDOW_MS
  #underWayMs = 0

  /** @param share - of the rate, to begin with: 1, or what a parent shard had */
  constructor(
    rate: WriteRate,
    { nowMs, random, share = 1 }: { nowMs: number; random: () => number; share?: number },
  ) {
    this.#rate = rate
    this.#random = random
    this.#baseShare = share
    this.#baseMs = nowMs
    this.#countedMs = nowMs
    this.#records = rate.recordsPerSecond * share * FIRST_BURST_SECONDS
    this.#bytes = rate.bytesPerSecond * share * FIRST_BURST_SECONDS
  }

  /** What is under way was counted at the old rate: it is let go. */
  set rate(rate: WriteRate) {
    this.#rate = rate
    this.#underWayMs = 0
  }

  /** What it takes for its own share now. */
  pace(nowMs: number): WriteRate {
    const share = this.share(nowMs)
    return {
      recordsPerSecond: this.#rate.recordsPerSecond * share,
      bytesPerSecond: this.#rate.bytesPerSecond * share,
    }
  }

  share(nowMs: number): number {
    const seconds = Math.max(0, nowMs - this.#baseMs) / 1_000
    // A few per cent in the first second, half of the rate in the fourth.
    return Math.min(1, this.#baseShare + GROWTH * (seconds + seconds ** 2 + seconds ** 3))
  }

  /** How long the shard at its whole rate takes for a record of this size. */
  worthMs(bytes: number): number {
    return Math.max(1_000 / this.#rate.recordsPerSecond, (bytes * 1_000) / this.#rate.bytesPerSecond)
  }

  /** When a record of this size may be sent: now or earlier, or a time to look again at. */
  dueAtMs(bytes: number, nowMs: number): number {
    this.#count(nowMs)
    const { recordsPerSecond, bytesPerSecond } = this.pace(nowMs)
    // A record larger than the burst goes when the bucket is full, and what is over is owed.
    const wantedBytes = Math.min(bytes, bytesPerSecond * BURST_SECONDS)
    const wantedRecords = Math.min(1, recordsPerSecond * BURST_SECONDS)
    const recordsMs = ((wantedRecords - this.#records) * 1_000) / recordsPerSecond
    const bytesMs = ((wantedBytes - this.#bytes) * 1_000) / bytesPerSecond
    // Answers open the window, not time.
    if (!this.#isWindowOpen) return nowMs + LOOK_AGAIN_MS
    const tokensMs = nowMs + Math.min(LOOK_AGAIN_MS, Math.max(0, recordsMs, bytesMs))
    return Math.max(tokensMs, this.#visitedMs + this.#visitMs(recordsPerSecond), this.#pausedUntilMs)
  }

  /** Whether it is worth while to take records now: it is due, or nearly so and somebody else is. */
  mayVisit(bytes: number, nowMs: number): boolean {
    const earlyMs = this.#visitMs(this.pace(nowMs).recordsPerSecond) * EARLY_PART
    return this.dueAtMs(bytes, nowMs) - earlyMs <= nowMs && this.hasRoom(bytes, nowMs)
  }

  /** Whether one more record may be taken in this visit. */
  hasRoom(bytes: number, nowMs: number): boolean {
    if (nowMs < this.#pausedUntilMs || !this.#isWindowOpen) return false
    const { recordsPerSecond, bytesPerSecond } = this.pace(nowMs)
    return (
      this.#records >= Math.min(1, recordsPerSecond * BURST_SECONDS) - EPSILON &&
      this.#bytes >= Math.min(bytes, bytesPerSecond * BURST_SECONDS) - EPSILON
    )
  }

  take(bytes: number): void {
    this.#records -= 1
    this.#bytes -= bytes
    this.#underWayMs += this.worthMs(bytes)
  }

  /** All was taken that might be: the next visit is a while from now. */
  visited(nowMs: number): void {
    this.#visitedMs = nowMs
  }

  /** Once for every batch that took from it. */
  learn({ sentMs, accepted, throttled, worthMs }: PaceFeedback, nowMs: number): void {
    this.#underWayMs = Math.max(0, this.#underWayMs - worthMs)
    if (accepted > 0) this.#refusedRounds = 0
    if (throttled === 0) {
      if (accepted > 0) this.#windowMs = Math.min(WIDEST_WINDOW_MS, this.#windowMs + worthMs)
      return
    }
    this.#count(nowMs)
    this.#records = Math.min(this.#records, 0)
    this.#bytes = Math.min(this.#bytes, 0)
    // What was sent before the last step says nothing of the rate since.
    if (sentMs < this.#baseMs) return
    // Of few records little can be said: a single one that is refused is no reason to halve the rate.
    const sent = accepted + throttled
    const doubt = 1 + 3 / sent
    const keptPart = Math.min(MOST_AFTER_THROTTLE, (accepted + doubt) / (sent + doubt))
    this.#windowMs = Math.max(FIRST_WINDOW_MS, this.#windowMs * keptPart)
    this.#baseShare = Math.max(LEAST_SHARE, this.share(nowMs) * keptPart)
    this.#baseMs = nowMs
    if (accepted > 0) return
    // Full jitter: writers that were refused together do not come again together.
    const longestMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#refusedRounds)
    this.#refusedRounds = Math.min(this.#refusedRounds + 1, 10)
    this.#pausedUntilMs = nowMs + this.#random() * longestMs
  }

  /** Sums of fractions are not exact: nothing under way is always enough. */
  get #isWindowOpen(): boolean {
    return this.#underWayMs < Math.max(this.#windowMs, 1)
  }

  #count(nowMs: number): void {
    const seconds = (nowMs - this.#countedMs) / 1_000
    if (seconds <= 0) return
    this.#countedMs = nowMs
    const { recordsPerSecond, bytesPerSecond } = this.pace(nowMs)
    this.#records = Math.min(recordsPerSecond * BURST_SECONDS, this.#records + recordsPerSecond * seconds)
    this.#bytes = Math.min(bytesPerSecond * BURST_SECONDS, this.#bytes + bytesPerSecond * seconds)
  }

  #visitMs(recordsPerSecond: number): number {
    return Math.min(MAX_VISIT_MS, Math.max(MIN_VISIT_MS, (RECORDS_A_VISIT * 1_000) / recordsPerSecond))
  }
}

/** Sums of fractions are not exact. */
const EPSILON = 1e-6
