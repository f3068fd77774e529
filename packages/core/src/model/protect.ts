/** Retries may add so much to first attempts: a share of them, and a floor. */
export interface RetryBudgetPolicy {
  /** Retries that each first attempt allows for: 0.2 is one retry for five first attempts. */
  readonly share: number
  /** Retries a second that are allowed whatever the first attempts, so that a quiet stream's retries go on. */
  readonly minPerSecond: number
  /** A first attempt's share is void after this long: a long calm must not pay for a burst. */
  readonly expireMs: number
}

/** Stops intake while the handler fails as a whole. */
export interface BreakerPolicy {
  /** The last outcomes that are looked at. */
  readonly window: number
  /** It opens on no fewer outcomes. */
  readonly minimum: number
  /** It opens when this share of them failed. */
  readonly ratio: number
  /** Nothing is started for so long; twice as long each time that the probing fails … */
  readonly pauseMs: number
  /** … and never longer than this, unless the downstream asks for it. */
  readonly maxPauseMs: number
  /** Outcomes of the probing that must be in before it closes. */
  readonly probes: number
  /** Handlers that run at a time while it probes. */
  readonly probeConcurrency: number
  /** From its closing on, rates and handlers at a time grow to the full over this time. */
  readonly rampMs: number
}

/**
 * What guards the downstream of a subscription's handler. Plain data: it may be changed while the subscription runs.
 * The limit of handlers at a time is the subscription's own `concurrency`.
 */
export interface ProtectPolicy {
  /** Handler calls a second, first attempts and retries together. */
  readonly ratePerSecond: number | undefined
  /** Retries a second. */
  readonly retryRatePerSecond: number | undefined
  readonly retryBudget: RetryBudgetPolicy | undefined
  readonly breaker: BreakerPolicy | undefined
}

/** What an author writes. What is left out does not limit. */
export interface ProtectOptions {
  /** Handler calls a second, first attempts and retries together: 0.001 to 1,000,000. */
  readonly ratePerSecond?: number
  /** Retries a second (what a person redrives has a rate of its own): 0.001 to 1,000,000. */
  readonly retryRatePerSecond?: number
  readonly retryBudget?: {
    /** 0 to 10; default 0.2. */
    readonly share?: number
    /** 0.001 to 1,000,000; default 10. */
    readonly minPerSecond?: number
    /** 1,000 to 600,000; default 10,000. */
    readonly expireMs?: number
  }
  readonly breaker?: {
    /** 1 to 10,000 outcomes; default 100. */
    readonly window?: number
    /** 1 to `window`; default 20, or `window` if that is less. */
    readonly minimum?: number
    /** Above 0, at most 1; default 0.5. */
    readonly ratio?: number
    /** 100 to 3,600,000; default 1,000. */
    readonly pauseMs?: number
    /** `pauseMs` to 86,400,000; default 60,000, or `pauseMs` if that is more. */
    readonly maxPauseMs?: number
    /** 1 to 10,000; default `window`. */
    readonly probes?: number
    /** 1 to 10,000; default 1. */
    readonly probeConcurrency?: number
    /** 0 to 3,600,000; default 30,000. */
    readonly rampMs?: number
  }
}
