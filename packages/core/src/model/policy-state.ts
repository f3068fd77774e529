/** What of a policy is plain data, as JSON has it; `null` where nothing limits. */
export type PolicyValue =
  | null
  | boolean
  | number
  | string
  | readonly PolicyValue[]
  | { readonly [name: string]: PolicyValue }

/** The parts that are changed one by one, each as a whole. */
export const POLICY_PATHS = [
  'concurrency',
  'timeoutMs',
  'failure.blocks',
  'failure.exhausted',
  'failure.immediate',
  'failure.retry',
  'failure.rules',
  'failure.maxAgeMs',
  'failure.maxCrashes',
  'protect.ratePerSecond',
  'protect.retryRatePerSecond',
  'protect.retryBudget',
  'protect.breaker',
] as const

export type PolicyPath = (typeof POLICY_PATHS)[number]

/** Every part of a policy by its path. */
export type PolicyParts = Readonly<Record<PolicyPath, PolicyValue>>

/** One part as it counts now. */
export interface PolicyPart {
  readonly path: PolicyPath
  readonly value: PolicyValue
  readonly from: 'file' | 'override'
  /** What the application file says. */
  readonly file: PolicyValue
  /** Of the override: the change that brought it. */
  readonly version?: number
  readonly by?: string
  readonly atMs?: number
}

/** What a change did, or would do, to one part. */
export interface PolicyDifference {
  readonly path: PolicyPath
  readonly before: PolicyValue
  readonly after: PolicyValue
  readonly beforeFrom: 'file' | 'override'
  readonly afterFrom: 'file' | 'override'
}

export interface PolicyChangeRecord {
  /** The version that the change made. */
  readonly version: number
  readonly atMs: number
  readonly by: string
  readonly note?: string
  readonly changes: readonly PolicyDifference[]
}

/** A part of the stored override that does not fit the application file any more: the file's counts instead. */
export interface RejectedPart {
  readonly path: PolicyPath
  readonly value: PolicyValue
  readonly reason: string
}

export interface PolicyState {
  readonly subscription: string
  /** 0: never changed. Raised by every change; a ledger's attempts name it. */
  readonly version: number
  readonly parts: readonly PolicyPart[]
  readonly rejected: readonly RejectedPart[]
  /** Newest first; the last 100 changes are kept. */
  readonly history: readonly PolicyChangeRecord[]
}

/**
 * What to change. Paths are dotted (`failure.retry.maxAttempts`); one inside a part changes the part as it counts now.
 * First `replace`, then `unset`, then `set`.
 */
export interface PolicyChange {
  /** The whole override: what it does not name, the application file decides. Nested, or with dotted paths. */
  readonly replace?: Readonly<Record<string, unknown>>
  /** Parts that the application file is to decide again; `failure` and `protect` stand for all of theirs. */
  readonly unset?: readonly string[]
  readonly set?: Readonly<Record<string, unknown>>
}

export interface PolicyResult {
  readonly subscription: string
  /** The version that counts after it; with `dryRun` the one that counts. */
  readonly version: number
  /** Empty: nothing differed, and no version was made. */
  readonly changes: readonly PolicyDifference[]
  readonly dryRun: boolean
}
