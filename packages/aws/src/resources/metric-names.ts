/** Where functions and workers put their metrics in CloudWatch, and where alarms and the dashboard look for them. */
export const METRIC_NAMESPACE = 'Eddy'

/** Dimensions of each metric: the application's name among its resources, and the subscription. */
export const METRIC_DIMENSIONS = ['Application', 'Subscription'] as const

/** Counts are sums; times are the greatest at the moment. */
export const METRIC_NAMES = {
  /** Calls of the handler that succeeded. Count. */
  handled: 'Handled',
  /** Calls of the handler that failed. Count. */
  failedAttempts: 'FailedAttempts',
  /** Calls that were not the first of their event. Count. */
  retries: 'Retries',
  /** Events that became dead letters. Count. */
  deadLetters: 'DeadLetters',
  /** Events that the policy dropped. Count. */
  dropped: 'Dropped',
  /** Keys whose events wait, as the sweep finds them. Count. */
  heldKeys: 'HeldKeys',
  /** How long the oldest event that waits for a retry has been due or waiting, as the sweep finds it. Seconds. */
  oldestRetry: 'OldestRetry',
  /** Age of the oldest event that workers are not done with live. Seconds. Of functions Lambda tells `IteratorAge`. */
  lag: 'Lag',
} as const
