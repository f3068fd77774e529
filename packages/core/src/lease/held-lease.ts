import { isEddyError } from '../errors/eddy-error.ts'
import type { Clock } from '../ports/clock.ts'
import type { Expect, Table } from '../ports/table.ts'
import { Fenced } from '../runtime/fenced.ts'
import { Mutex } from '../runtime/mutex.ts'
import { type LeaseRow, leaseKey, type StoredLease } from './lease-row.ts'
import { nextEpoch } from './next-epoch.ts'
import type { LastStop, Lease } from './owner.ts'
import type { Reading } from './reading.ts'

export interface LeasePorts {
  readonly table: Table
  readonly clock: Clock
}

export interface LeaseTerms {
  readonly worker: string
  readonly leaseMs: number
}

const FIRST_WAIT_MS = 50

/**
 * A lease that this process holds. It counts on it until `leaseMs` after the beginning of its last write, by its own
 * clock, and gives it up a little earlier: nobody else takes it before that time is over by theirs.
 */
export class HeldLease implements Lease {
  readonly place: string
  /** The worker that was taken for dead, if that is how it came here. */
  readonly takenFrom: string | undefined
  readonly #ports: LeasePorts
  readonly #terms: LeaseTerms
  /** One write at a time: each is on the condition of the one before. */
  readonly #turns = new Mutex()
  #stored: StoredLease
  #deadlineMs: number
  #isLost = false
  /** It goes to another worker: nothing new is begun under it. */
  isLeaving = false
  /** Its row is free. */
  isReleased = false
  /** Before the first reading under it may begin. */
  ready: Promise<void> = Promise.resolve()

  private constructor(
    ports: LeasePorts,
    terms: LeaseTerms,
    place: string,
    stored: StoredLease,
    taken: { readonly from: string | undefined; readonly deadlineMs: number },
  ) {
    this.#ports = ports
    this.#terms = terms
    this.place = place
    this.#stored = stored
    this.takenFrom = taken.from
    this.#deadlineMs = taken.deadlineMs
  }

  /**
   * Takes a lease that is free, or whose owner is dead.
   * @param seen - as it stood when that was decided
   * @returns undefined when somebody else was first
   */
  static async take(
    ports: LeasePorts,
    terms: LeaseTerms,
    place: string,
    seen: StoredLease,
  ): Promise<HeldLease | undefined> {
    const { table, clock } = ports
    const { owner, unclean, counter } = seen.row
    const row: LeaseRow = {
      owner: terms.worker,
      term: Math.floor(clock.random() * 2 ** 48).toString(36),
      counter: counter + 1,
      unclean: uncleanAfter(owner, unclean, terms.worker),
      ...(seen.row.epoch !== undefined && { epoch: seen.row.epoch }),
    }
    const deadlineMs = clock.monotonicMs() + terms.leaseMs
    const written = await put(table, place, row, seen.version)
    const from = owner === '' || owner === terms.worker ? undefined : owner
    if (written === undefined) return undefined
    return new HeldLease(ports, terms, place, { row, version: written }, { from, deadlineMs })
  }

  get lastStop(): LastStop {
    const { unclean } = this.#stored.row
    return unclean === 0 ? 'clean' : unclean === 1 ? 'unclean' : 'looping'
  }

  /** A worker that asked for it. */
  get wantedBy(): string | undefined {
    return this.#stored.row.wantedBy
  }

  /** Monotonic: when this process stops counting on it. */
  get endsAtMs(): number {
    return this.#deadlineMs - this.#terms.leaseMs / 10
  }

  /** Once over, it stays so, though a renewal under way may still be answered: what was not begun is not told of again. */
  isOver(): boolean {
    if (this.#ports.clock.monotonicMs() >= this.endsAtMs) this.#isLost = true
    return this.#isLost
  }

  async begin(): Promise<Reading> {
    await this.ready
    const epoch = await this.#repeated(() => nextEpoch(this.#ports))
    // From here on it is known that whoever reads under a later lease has a later epoch.
    await this.#change((row) => ({ ...row, epoch }))
    return { epoch, isOver: () => this.isOver() }
  }

  async renew(): Promise<void> {
    await this.#change((row) => row)
  }

  /** What was under way at the last owner's end is done: the next end that is not clean is a first one. */
  async recovered(): Promise<void> {
    if (this.#stored.row.unclean > 0) await this.#change((row) => ({ ...row, unclean: 0 }))
  }

  /** It was read by another look: somebody may have asked for it since. */
  seen(stored: StoredLease): void {
    if (this.#isOwn(stored.row) && stored.version > this.#stored.version) this.#stored = stored
  }

  /**
   * Lets it go. @param left - `clean`: every checkpoint is saved; `done`: nothing is left to read
   * @throws Fenced when it was lost already
   */
  async release(left: 'clean' | 'unclean' | 'done'): Promise<void> {
    await this.#change((row) => ({
      ...row,
      owner: '',
      unclean: row.unclean + (left === 'unclean' ? 1 : 0),
      ...(left === 'done' && { isDone: true }),
    }))
    this.isReleased = true
    this.#isLost = true
  }

  /** Nothing more is begun under it, whatever its row says. */
  lose(): void {
    this.#isLost = true
  }

  #isOwn({ owner, term }: LeaseRow): boolean {
    return owner === this.#terms.worker && term === this.#stored.row.term
  }

  async #change(change: (row: LeaseRow) => LeaseRow): Promise<void> {
    const endTurn = await this.#turns.acquire()
    try {
      await this.#repeated(() => this.#write(change))
    } finally {
      endTurn()
    }
  }

  async #write(change: (row: LeaseRow) => LeaseRow): Promise<void> {
    const { table, clock } = this.#ports
    for (;;) {
      this.#check()
      const changed = change(this.#stored.row)
      const row = { ...changed, counter: this.#stored.row.counter + 1 }
      const beganMs = clock.monotonicMs()
      const written = await table.put<LeaseRow>({ ...leaseKey(this.place), value: row }, this.#stored.version)
      if (written.ok) {
        this.#stored = { row, version: written.version }
        this.#deadlineMs = beganMs + this.#terms.leaseMs
        return
      }
      const current = written.current
      // Somebody asked for it, or the answer to our own write was lost.
      if (current !== undefined && this.#isOwn(current.value)) {
        this.#stored = { row: current.value, version: current.version }
        continue
      }
      this.#isLost = true
    }
  }

  /** Until the storage has taken it, or it is too late for this lease. */
  async #repeated<T>(step: () => Promise<T>): Promise<T> {
    const { clock } = this.#ports
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(1_000, waitMs * 2)) {
      this.#check()
      try {
        return await step()
      } catch (error) {
        if (!isEddyError(error) || !error.retryable) throw error
        await clock.sleep(waitMs)
      }
    }
  }

  #check(): void {
    if (this.isOver()) throw new Fenced(this.place)
  }
}

/** @returns the new version; undefined when it was refused */
async function put(table: Table, place: string, row: LeaseRow, expect: Expect): Promise<number | undefined> {
  const written = await table.put<LeaseRow>({ ...leaseKey(place), value: row }, expect)
  if (written.ok) return written.version
  // The answer to our own write was lost, and its repetition refused.
  const { current } = written
  return current?.value.owner === row.owner && current.value.term === row.term ? current.version : undefined
}

/** An owner that did not let it go is dead, or was so slow that its last steps may be missing. */
function uncleanAfter(owner: string, unclean: number, self: string): number {
  if (owner === '') return unclean
  // This process lives: what it could not finish is looked up, and is no crash of an event.
  return owner === self ? Math.max(1, unclean) : unclean + 1
}
