import { InvalidOptionError, PolicyConflictError } from '../errors/request-errors.ts'
import type { SubscriptionPolicy } from '../model/policy.ts'
import {
  POLICY_PATHS,
  type PolicyChange,
  type PolicyChangeRecord,
  type PolicyDifference,
  type PolicyPart,
  type PolicyPath,
  type PolicyResult,
  type PolicyState,
  type PolicyValue,
  type RejectedPart,
} from '../model/policy-state.ts'
import { Mutex } from '../runtime/mutex.ts'
import { changeParts, type Overrides } from './change-parts.ts'
import { type FittedPolicy, fitOverrides } from './fit-overrides.ts'
import { isSameValue, type PolicyFile, partsOf, policyOf } from './policy-parts.ts'
import type { OverridePart, PolicyStore, StoredEntry, StoredPolicy } from './policy-store.ts'

/** Of an override as JSON: it is one item of the table. */
const MAX_CHARACTERS = 65_536

export interface ChangeOptions {
  readonly by: string
  readonly note?: string | undefined
  readonly dryRun?: boolean | undefined
  /** The version that was shown: refused when it is another by now. */
  readonly expectVersion?: number | undefined
}

export interface LivePolicyOptions {
  readonly subscription: string
  /** The application file's. */
  readonly file: PolicyFile
  readonly store: PolicyStore
  readonly nowMs: () => number
  /** Repeats a step until the storage has taken it. */
  readonly persist: <T>(what: string, step: () => Promise<T>) => Promise<T>
  /** Makes every later decision by this policy; called once it is stored. */
  readonly apply: (policy: SubscriptionPolicy, version: number) => void
  /** Parts that the application file does not allow any more. */
  readonly onRejected: (rejected: readonly RejectedPart[]) => void
}

/**
 * The policy of a running subscription: the application file's, and over it what people have changed since. A change is
 * checked, stored (that decides, and a restart finds it), counts from then on, and stands in the history.
 */
export class LivePolicy {
  readonly #options: LivePolicyOptions
  readonly #changing = new Mutex()
  #stored: StoredEntry | undefined
  #fitted: FittedPolicy

  constructor(options: LivePolicyOptions) {
    this.#options = options
    this.#fitted = { policy: options.file, counting: {}, rejected: [] }
  }

  /** Before the subscription's first decision, and again where others may have changed it. */
  async load(): Promise<void> {
    const { store, file, persist, apply, onRejected } = this.#options
    const stored = await persist('reading the policy', () => store.load())
    if (stored === undefined || stored.itemVersion === this.#stored?.itemVersion) return
    await persist('keeping the history of the policy', () => store.remember(stored.policy.change))
    this.#stored = stored
    this.#fitted = fitOverrides(file, overridesOf(stored.policy))
    apply(this.#fitted.policy, stored.policy.version)
    if (this.#fitted.rejected.length > 0) onRejected(this.#fitted.rejected)
  }

  /** Another process has stored this version: it counts here too. */
  async adopt(version: number): Promise<void> {
    const endTurn = await this.#changing.acquire()
    try {
      if (version !== this.#version) await this.load()
    } finally {
      endTurn()
    }
  }

  async state(): Promise<PolicyState> {
    const { subscription, file, store } = this.#options
    const fromFile = partsOf(file)
    return {
      subscription,
      version: this.#version,
      parts: POLICY_PATHS.map((path) => this.#part(path, fromFile[path])),
      rejected: this.#fitted.rejected,
      history: await store.history(),
    }
  }

  /** @throws InvalidOptionError, PolicyConflictError */
  async change(change: PolicyChange, options: ChangeOptions): Promise<PolicyResult> {
    const endTurn = await this.#changing.acquire()
    try {
      return await this.#change(change, options)
    } finally {
      endTurn()
    }
  }

  async #change(change: PolicyChange, options: ChangeOptions): Promise<PolicyResult> {
    const { subscription, store, persist, apply } = this.#options
    const { expectVersion, dryRun = false } = options
    const version = this.#version
    if (expectVersion !== undefined && expectVersion !== version)
      throw new PolicyConflictError(subscription, expectVersion, version)
    const next = this.#after(change)
    const changes = this.#differences(next)
    const isSame = changes.length === 0 && this.#fitted.rejected.length === 0
    if (isSame || dryRun) return { subscription, version, changes, dryRun }
    const policy = this.#storedAfter(next.counting, changes, options)
    const stored = await persist('storing the policy', () => store.save(this.#stored, policy))
    if (stored === undefined) {
      // A former process's last change came late: it is what a restart would find.
      await this.load()
      throw new PolicyConflictError(subscription, version, this.#version)
    }
    this.#stored = stored
    this.#fitted = next
    apply(next.policy, policy.version)
    await persist('keeping the history of the policy', () => store.remember(policy.change))
    return { subscription, version: policy.version, changes, dryRun }
  }

  get #version(): number {
    return this.#stored?.policy.version ?? 0
  }

  /** What a change makes of what counts. What was rejected goes with it. */
  #after(change: PolicyChange): FittedPolicy {
    const { file } = this.#options
    const base = partsOf(file)
    const wanted = changeParts(this.#fitted.counting, base, change)
    const policy = policyOf({ ...base, ...wanted }, file)
    // With the defaults of what was left out.
    const complete = partsOf(policy)
    const counting: Overrides = {}
    for (const path of POLICY_PATHS) if (path in wanted) counting[path] = complete[path]
    const characters = JSON.stringify(counting).length
    if (characters > MAX_CHARACTERS)
      throw new InvalidOptionError('policy', `at most ${MAX_CHARACTERS} characters of JSON`, characters)
    return { policy, counting, rejected: [] }
  }

  #differences(next: FittedPolicy): readonly PolicyDifference[] {
    const [before, after] = [partsOf(this.#fitted.policy), partsOf(next.policy)]
    return POLICY_PATHS.flatMap((path) => {
      const beforeFrom = sourceOf(this.#fitted, path)
      const afterFrom = sourceOf(next, path)
      if (beforeFrom === afterFrom && isSameValue(before[path], after[path])) return []
      return [{ path, before: before[path], after: after[path], beforeFrom, afterFrom }]
    })
  }

  #storedAfter(
    counting: Overrides,
    changes: readonly PolicyDifference[],
    { by, note }: ChangeOptions,
  ): StoredPolicy {
    const { store, nowMs } = this.#options
    const [version, atMs] = [this.#version + 1, nowMs()]
    const parts: Partial<Record<PolicyPath, OverridePart>> = {}
    for (const path of POLICY_PATHS) {
      const value = counting[path]
      if (value === undefined) continue
      const known = this.#stored?.policy.parts[path]
      parts[path] =
        known !== undefined && isSameValue(known.value, value) ? known : { value, version, by, atMs }
    }
    const change: PolicyChangeRecord = { version, atMs, by, ...(note !== undefined && { note }), changes }
    return { version, changeId: store.newChangeId(), parts, change }
  }

  #part(path: PolicyPath, file: PolicyValue): PolicyPart {
    const from = sourceOf(this.#fitted, path)
    const known = this.#stored?.policy.parts[path]
    if (from === 'file' || known === undefined) return { path, value: file, from: 'file', file }
    const { value, version, by, atMs } = known
    return { path, value, from, file, version, by, atMs }
  }
}

function overridesOf({ parts }: StoredPolicy): Overrides {
  const overrides: Overrides = {}
  for (const path of POLICY_PATHS) {
    const part = parts[path]
    if (part !== undefined) overrides[path] = part.value
  }
  return overrides
}

function sourceOf({ counting }: FittedPolicy, path: PolicyPath): 'file' | 'override' {
  return path in counting ? 'override' : 'file'
}
