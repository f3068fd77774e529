/** When alarms ring. Figures are those of one subscription, or one queue. */
export interface AlarmOptions {
  /** The oldest record that a function was given, in seconds; default 300. */
  readonly iteratorAgeSeconds?: number
  /** How much of the retention a subscription may lag before records are lost, 0 to 1; default 0.5. */
  readonly retentionShare?: number
  /** The oldest retry, in seconds; default 3,600. */
  readonly oldestRetrySeconds?: number
  /** Functions that failed as a whole, in 5 minutes; default 1. Failures of handlers are no errors of functions. */
  readonly functionErrors?: number
  /** Refused calls in 5 minutes: of functions, streams, the table; default 10. */
  readonly throttles?: number
}
