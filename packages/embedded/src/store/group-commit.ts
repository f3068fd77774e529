/**
 * Invariants of the group committer:
 * G1. One commit is in flight; operations that arrive meanwhile join the next one.
 * G2. An operation's promise settles only after the commit that holds it is finished (I1).
 * G3. Operations run one after another inside the write transaction: what one reads is what the commit will hold.
 * G4. A commit is stored whole or not at all; when it fails, every operation in it is rejected and what it changed in
 *     memory is undone in reverse order.
 * G5. What waits is bounded in operations and bytes; beyond the bound callers wait, nothing is dropped (I6).
 */
import { EngineClosedError } from '@eddy/core'
import { CommitScope } from './commit-scope.ts'
import type { Environment } from './environment.ts'
import { commitBegins, joinCommitting, leaveCommitting } from './exit-guard.ts'
import { toStorageError } from './storage-error.ts'

/** Runs inside the write transaction. It must decide first and write last: after its first write it may not throw. */
export type CommitOperation<T> = (scope: CommitScope) => T

export interface GroupCommitLimits {
  readonly maxPendingBytes: number
  readonly maxPendingOperations: number
  readonly maxCommitBytes: number
  readonly maxCommitOperations: number
}

const DEFAULT_LIMITS: GroupCommitLimits = {
  maxPendingBytes: 64 * 1024 * 1024,
  maxPendingOperations: 50_000,
  maxCommitBytes: 16 * 1024 * 1024,
  maxCommitOperations: 10_000,
}

interface Pending {
  readonly bytes: number
  readonly run: CommitOperation<unknown>
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  outcome: { value: unknown } | { error: unknown } | undefined
}

export class GroupCommitter {
  readonly #environment: Environment
  readonly #dir: string
  readonly #limits: GroupCommitLimits
  #pending: Pending[] = []
  #pendingBytes = 0
  #waiting: (() => void)[] = []
  #running: Promise<void> | undefined
  #pauses = 0
  #closed = false
  #commits = 0
  #failedCommits = 0

  constructor(environment: Environment, dir: string, limits: GroupCommitLimits = DEFAULT_LIMITS) {
    this.#environment = environment
    this.#dir = dir
    this.#limits = limits
    joinCommitting(this)
  }

  get commits(): number {
    return this.#commits
  }

  get failedCommits(): number {
    return this.#failedCommits
  }

  get pendingBytes(): number {
    return this.#pendingBytes
  }

  /**
   * Runs `run` in the next commit and resolves with what it returned when that commit is durable.
   *
   * @param bytes - about what the operation will write; what the bound counts
   * @throws StorageError when the commit failed; what `run` threw when it refused
   */
  async submit<T>(bytes: number, run: CommitOperation<T>): Promise<T> {
    while (this.#isFull(bytes)) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    if (this.#closed) throw new EngineClosedError()
    return new Promise<T>((resolve, reject) => {
      this.#pending.push({
        bytes,
        run,
        resolve: resolve as (value: unknown) => void,
        reject,
        outcome: undefined,
      })
      this.#pendingBytes += bytes
      this.#start()
    })
  }

  /** Lets what is running finish, keeps further operations waiting while `action` runs, then goes on. */
  async pauseWhile<T>(action: () => Promise<T>): Promise<T> {
    this.#pauses++
    try {
      await this.#running
      return await action()
    } finally {
      this.#pauses--
      this.#start()
    }
  }

  /** Lets the commit that is under way finish, and begins none after it: for a process that ends. */
  async halt(): Promise<void> {
    this.#pauses++
    await this.#running
  }

  /** Commits what was submitted, then refuses more. */
  async close(): Promise<void> {
    this.#closed = true
    this.#wakeWaiting()
    while (this.#running !== undefined) await this.#running
    leaveCommitting(this)
  }

  #isFull(bytes: number): boolean {
    if (this.#closed || this.#pending.length === 0) return false
    return (
      this.#pending.length >= this.#limits.maxPendingOperations ||
      this.#pendingBytes + bytes > this.#limits.maxPendingBytes
    )
  }

  #start(): void {
    if (this.#running !== undefined || this.#pauses > 0 || this.#pending.length === 0) return
    this.#running = this.#commitAll().finally(() => {
      this.#running = undefined
      this.#start()
    })
  }

  async #commitAll(): Promise<void> {
    while (this.#pending.length > 0 && this.#pauses === 0) await this.#commitOnce()
  }

  async #commitOnce(): Promise<void> {
    let batch: Pending[] = []
    const scope = new CommitScope()
    const turnCame = commitBegins()
    try {
      // A child transaction, since only that can be given up whole when a write is refused half way (G4).
      await this.#environment.root.childTransaction(() => {
        turnCame()
        batch = this.#takeBatch()
        runBatch(batch, scope)
      })
    } catch (error) {
      turnCame()
      this.#failedCommits++
      swallow((error as { commitError?: Promise<unknown> }).commitError)
      this.#rejectBatch(batch.length > 0 ? batch : this.#takeBatch(), scope, error)
      return
    }
    this.#commits++
    scope.finishCommitted()
    for (const op of batch) settle(op)
    this.#wakeWaiting()
  }

  #takeBatch(): Pending[] {
    let count = 0
    let bytes = 0
    const limit = Math.min(this.#pending.length, this.#limits.maxCommitOperations)
    while (count < limit && (count === 0 || bytes < this.#limits.maxCommitBytes)) {
      bytes += (this.#pending[count] as Pending).bytes
      count++
    }
    const batch = count === this.#pending.length ? this.#pending : this.#pending.slice(0, count)
    this.#pending = count === this.#pending.length ? [] : this.#pending.slice(count)
    this.#pendingBytes -= bytes
    return batch
  }

  #rejectBatch(batch: readonly Pending[], scope: CommitScope, cause: unknown): void {
    scope.finishRolledBack()
    const error = toStorageError(cause, this.#dir)
    for (const op of batch) op.reject(error)
    this.#wakeWaiting()
  }

  #wakeWaiting(): void {
    if (this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
  }
}

function runBatch(batch: readonly Pending[], scope: CommitScope): void {
  for (const op of batch) {
    const writesBefore = scope.writes
    try {
      op.outcome = { value: op.run(scope) }
    } catch (error) {
      // A refusal before the first write concerns this operation alone; later it would leave half of it behind (G4).
      if (scope.writes !== writesBefore) throw error
      op.outcome = { error }
    }
  }
  scope.runAtEnd()
}

function settle(op: Pending): void {
  const outcome = op.outcome
  if (outcome === undefined) op.reject(new Error('the operation did not run'))
  else if ('error' in outcome) op.reject(outcome.error)
  else op.resolve(outcome.value)
}

function swallow(promise: Promise<unknown> | undefined): void {
  promise?.catch(() => {})
}
