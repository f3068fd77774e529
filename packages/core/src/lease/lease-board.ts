import { isEddyError } from '../errors/eddy-error.ts'
import type { PlaceView } from './balance.ts'
import type { LeasePorts, LeaseTerms } from './held-lease.ts'
import {
  LEASES,
  type LeaseRow,
  leaseKey,
  type StoredLease,
  type WorkerRow,
  workerKey,
  workerOf,
} from './lease-row.ts'
import { Sightings } from './sightings.ts'

const PAGE = 1_000

/** All rows of leases and workers as this worker saw them last, and who of them lives. */
export class LeaseBoard {
  readonly #ports: LeasePorts
  readonly #terms: LeaseTerms
  readonly #sightings = new Sightings()
  #leases = new Map<string, StoredLease>()
  #workers = new Map<string, WorkerRow>()

  constructor(ports: LeasePorts, terms: LeaseTerms) {
    this.#ports = ports
    this.#terms = terms
  }

  get leases(): ReadonlyMap<string, StoredLease> {
    return this.#leases
  }

  /** One query, as a rule. */
  async look(): Promise<void> {
    const found = new Map<string, StoredLease>()
    const workers = new Map<string, WorkerRow>()
    const marks = new Map<string, string>()
    let after: string | undefined
    do {
      const page = await this.#ports.table.query({
        partition: LEASES,
        limit: PAGE,
        ...(after !== undefined && { after }),
      })
      for (const { sort, value, version } of page.items) {
        const worker = workerOf(sort)
        if (worker === undefined) {
          const row = value as unknown as LeaseRow
          found.set(sort, { row, version })
          marks.set(sort, `${row.term}/${row.counter}`)
        } else {
          workers.set(worker, value as unknown as WorkerRow)
          marks.set(sort, String((value as unknown as WorkerRow).counter))
        }
      }
      after = page.next
    } while (after !== undefined)
    this.#leases = found
    this.#workers = workers
    this.#sightings.look(marks, this.#ports.clock.monotonicMs())
  }

  /** Its owner has shown no sign of life for as long as it counts on the lease, and longer. */
  isExpired(place: string): boolean {
    const changedAtMs = this.#sightings.changedAtMs(place)
    return changedAtMs !== undefined && this.#ports.clock.monotonicMs() - changedAtMs >= this.#terms.leaseMs
  }

  /** Monotonic: when the next lease of somebody who may be dead is free. */
  nextExpiryMs(): number | undefined {
    let next: number | undefined
    for (const [place, { row }] of this.#leases) {
      if (row.owner === '' || row.owner === this.#terms.worker) continue
      const atMs = (this.#sightings.changedAtMs(place) ?? 0) + this.#terms.leaseMs
      if (next === undefined || atMs < next) next = atMs
    }
    return next
  }

  /** Live ones, this one included: whoever left a lease to expire is dead, whatever its own row says. */
  workers(): readonly string[] {
    const live = new Set([this.#terms.worker])
    const nowMs = this.#ports.clock.monotonicMs()
    for (const worker of this.#workers.keys()) {
      const changedAtMs = this.#sightings.changedAtMs(workerKey(worker).sort) ?? nowMs
      if (nowMs - changedAtMs < this.#terms.leaseMs) live.add(worker)
    }
    for (const [place, { row }] of this.#leases)
      if (row.owner !== this.#terms.worker && this.isExpired(place)) live.delete(row.owner)
    return [...live].sort()
  }

  nameOf(worker: string): string {
    return this.#workers.get(worker)?.name ?? worker
  }

  /** For the balance. @param isHeld - this process has the lease */
  view(place: string, { row }: StoredLease, workers: readonly string[], isHeld: boolean): PlaceView {
    const wantedBy = row.wantedBy !== undefined && workers.includes(row.wantedBy) ? row.wantedBy : undefined
    // A row that says it is ours, and is not held: its write was not answered, or came too late to count on.
    const isOurs = row.owner === this.#terms.worker
    if (row.owner === '' || (isOurs && !isHeld)) return { place, owner: undefined, wantedBy }
    if (isOurs || workers.includes(row.owner)) return { place, owner: row.owner, wantedBy }
    return { place, owner: undefined, isUncertain: !this.isExpired(place), wantedBy }
  }

  /** Makes a row for a place, or opens it again after it was done. */
  async offer(place: string): Promise<boolean> {
    const known = this.#leases.get(place)
    if (known !== undefined && known.row.isDone !== true) return false
    const row: LeaseRow = {
      owner: '',
      term: '',
      counter: (known?.row.counter ?? 0) + 1,
      unclean: 0,
      ...(known?.row.epoch !== undefined && { epoch: known.row.epoch }),
    }
    const written = await this.#ports.table.put<LeaseRow>(
      { ...leaseKey(place), value: row },
      known?.version ?? 'absent',
    )
    if (written.ok) this.#leases.set(place, { row, version: written.version })
    else if (written.current !== undefined)
      this.#leases.set(place, { row: written.current.value, version: written.current.version })
    return written.ok
  }

  /** Removes the rows of shards that are done with and expired since. */
  async forget(prefix: string, known: ReadonlySet<string>): Promise<void> {
    for (const [place, { row, version }] of this.#leases) {
      if (row.isDone !== true || !place.startsWith(prefix) || known.has(place)) continue
      await this.#ports.table.delete(leaseKey(place), version).catch(ignored)
    }
  }

  /** Asks the owner for the lease. Refused: it has changed, and the next look tells how. */
  async want(place: string): Promise<void> {
    const known = this.#leases.get(place)
    if (known === undefined) return
    const row = { ...known.row, wantedBy: this.#terms.worker }
    await this.#ports.table.put<LeaseRow>({ ...leaseKey(place), value: row }, known.version).catch(ignored)
  }
}

/** The next look finds out. */
export function ignored(error: unknown): undefined {
  if (!isEddyError(error)) throw error
  return undefined
}
