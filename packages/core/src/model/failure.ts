import type { EddyEvent } from './event.ts'

/** What waits while a failed event is retried. */
export type Blocks = 'nothing' | 'key' | 'shard'

/** What becomes of an event whose tries are used up. */
export type Exhausted = 'dead-letter' | 'dead-letter-key' | 'hold' | 'drop'

export type Jitter = 'full' | 'equal' | 'decorrelated' | 'none'

/**
 * Backoff as plain data. `maxAttempts` counts every call of the handler, the live one included.
 * Delays are milliseconds, 0 to 365 days. A negative delay in a list ends the retries there.
 */
export type RetryPolicy =
  | {
      readonly kind: 'exponential'
      readonly maxAttempts: number
      readonly initialMs: number
      readonly factor: number
      readonly maxMs: number
      readonly jitter: Jitter
    }
  | {
      readonly kind: 'linear'
      readonly maxAttempts: number
      readonly initialMs: number
      readonly stepMs: number
      readonly maxMs: number
      readonly jitter: Jitter
    }
  | {
      readonly kind: 'fixed'
      readonly maxAttempts: number
      readonly delayMs: number
      readonly jitter: Jitter
    }
  | {
      readonly kind: 'list'
      readonly maxAttempts: number
      readonly delaysMs: readonly number[]
      readonly jitter: Jitter
    }

/** First rule that matches decides. `error` is the error's name, or its `code`; `message` is a substring. */
export type FailureRule = { readonly error?: string; readonly message?: string } & (
  | { readonly retry: RetryPolicy }
  | { readonly then: 'dead-letter' | 'drop' }
)

/** A handler throws one of these, or `classify` returns one, to say what the failure means. */
export type Outcome =
  | { readonly kind: 'retry-after'; readonly delayMs: number }
  | { readonly kind: 'dead-letter'; readonly reason: string }
  | { readonly kind: 'drop'; readonly reason: string }

export type Classify = (
  error: unknown,
  ctx: { readonly event: EddyEvent; readonly attempt: number },
) => Outcome | undefined

/** The failure policy with every default filled in. All but `classify` is plain data. */
export interface FailurePolicy {
  readonly blocks: Blocks
  /** Further tries at once, in place, each time the event is handled. They count as attempts. */
  readonly immediate: number
  readonly retry: RetryPolicy
  readonly rules: readonly FailureRule[]
  readonly classify: Classify | undefined
  readonly exhausted: Exhausted
  /** Give up when the event's first failure is older than this. */
  readonly maxAgeMs: number | undefined
  /** An event that was running at this many deaths of the process in a row is given up as crashed. */
  readonly maxCrashes: number
}

/** What an author writes. With `blocks: 'key'` the choice of `exhausted` has no default. */
export type FailureOptions = {
  /** 0 to 100; default 0. */
  readonly immediate?: number
  /** Default `exponential()`: 8 attempts, 200 ms doubling to 5 minutes, full jitter. */
  readonly retry?: RetryPolicy
  /** At most 100. */
  readonly rules?: readonly FailureRule[]
  readonly classify?: Classify
  /** 1 ms to 365 days; default: age gives nothing up. */
  readonly maxAgeMs?: number
  /** 1 to 100; default 3. */
  readonly maxCrashes?: number
} & (
  | { readonly blocks?: 'nothing'; readonly exhausted?: 'dead-letter' | 'drop' }
  | { readonly blocks: 'key'; readonly exhausted: Exhausted }
  | { readonly blocks: 'shard'; readonly exhausted?: 'dead-letter' | 'hold' | 'drop' }
)
