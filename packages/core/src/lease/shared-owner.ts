import { type Claims, sharedClaims } from '../fail/claims.ts'
import type { Logger } from '../observe/logger.ts'
import type { Clock } from '../ports/clock.ts'
import { Fenced } from '../runtime/fenced.ts'
import { persist } from '../runtime/stop-signal.ts'
import { balance } from './balance.ts'
import { HeldLease, type LeasePorts, type LeaseTerms } from './held-lease.ts'
import { ignored, LeaseBoard } from './lease-board.ts'
import { type WorkerRow, workerKey } from './lease-row.ts'
import { nextEpoch } from './next-epoch.ts'
import type { LeaseUser, Owner } from './owner.ts'
import { places, ROLES, type Role } from './places.ts'

export interface SharedOwnerOptions {
  /** Names it among all, as `workerId` makes it. */
  readonly worker: string
  readonly ports: LeasePorts
  readonly leaseMs: number
  readonly name: string | undefined
  readonly logger: Logger
  /** Learns what a dead worker's events brought about: before the first reading in its place begins. */
  readonly inherit: (worker: string) => Promise<void>
}

/** Looks at the rows. */
const LOOK_EVERY_MS = 1_000
/** A worker's row goes by itself, long after its last sign of life. */
const WORKER_ROW_MS = 3_600_000
/** Writes at a time (I6). */
const MAX_AT_A_TIME = 32

/**
 * One of several workers on an engine, by leases in its table: a row a place, of which every worker looks at all about
 * once a second.
 *
 * - O1 A lease counts for `leaseMs` from the beginning of its owner's last write, by the owner's clock; another worker
 *   takes it when it has not seen the counter change for `leaseMs`, by its own. So at no time do two count on it.
 * - O2 Nothing is begun, and no result is written down, under a lease that is over; an epoch counts once the lease was
 *   written with it. What a former owner has under way is refused by the epoch of the next one (H3, C4).
 * - O3 A lease that another worker asks for is handed over: intake stops, what runs is finished, checkpoints are saved,
 *   then the row is free.
 */
export class SharedOwner implements Owner {
  readonly isShared = true
  readonly fence = undefined
  readonly claims: Claims
  readonly #options: SharedOwnerOptions
  readonly #terms: LeaseTerms
  readonly #board: LeaseBoard
  readonly #held = new Map<string, HeldLease>()
  readonly #users: { readonly prefix: string; readonly user: LeaseUser }[] = []
  readonly #moving = new Set<Promise<void>>()
  readonly #stop = new AbortController()
  readonly #startedAtMs: number
  #isClosed = false
  #renewals = 0
  #wake = new AbortController()
  #loops: Promise<unknown> = Promise.resolve()

  constructor(options: SharedOwnerOptions) {
    const { ports, leaseMs, worker } = options
    this.#options = options
    this.#terms = { worker, leaseMs }
    this.#board = new LeaseBoard(ports, this.#terms)
    this.claims = sharedClaims(worker)
    this.#startedAtMs = ports.clock.now()
  }

  lease(place: string): HeldLease | undefined {
    const held = this.#held.get(place)
    return held === undefined || held.isLeaving || held.isOver() ? undefined : held
  }

  isElsewhere(place: string): boolean {
    const row = this.#board.leases.get(place)?.row
    return row !== undefined && row.isDone !== true && row.owner !== '' && row.owner !== this.#terms.worker
  }

  nameOf(place: string): string | undefined {
    const owner = this.#held.has(place) ? this.#terms.worker : this.#board.leases.get(place)?.row.owner
    if (owner === undefined || owner === '') return undefined
    return owner === this.#terms.worker ? (this.#options.name ?? owner) : this.#board.nameOf(owner)
  }

  leads(role: Role): boolean {
    return this.lease(places.role(role)) !== undefined
  }

  workers(): readonly string[] {
    const { worker } = this.#terms
    return this.#board
      .workers()
      .map((id) => (id === worker ? (this.#options.name ?? id) : this.#board.nameOf(id)))
  }

  nextEpoch(): Promise<number> {
    return nextEpoch(this.#options.ports)
  }

  async offer(place: string): Promise<void> {
    if (await this.#board.offer(place)) this.#lookSoon()
  }

  async listed(stream: string, shardIds: ReadonlySet<string>): Promise<void> {
    const known = new Set([...shardIds].map((shardId) => places.shard(stream, shardId)))
    await this.#board.forget(places.shardsOf(stream), known)
  }

  join(prefix: string, user: LeaseUser): void {
    this.#users.push({ prefix, user })
  }

  async start(): Promise<void> {
    const { logger, ports } = this.#options
    const { signal } = this.#stop
    const first = async (): Promise<void> => {
      await this.#register()
      await this.#board.look()
      for (const role of ROLES) await this.#board.offer(places.role(role))
      await this.#look()
    }
    await persist(ports.clock, signal, logger, 'joining the workers', first)
    this.#loops = Promise.all([this.#lookRegularly(), this.#renewRegularly(), this.#watchDeadlines()])
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    // Nobody counts on this worker's share any more.
    this.#moving.add(this.#deregister())
  }

  async end(isSaved: boolean): Promise<void> {
    this.close()
    // What is on its way to another worker has its own end; what is left waits no longer than its lease.
    await Promise.all(this.#moving)
    await this.#each([...this.#held.values()], (lease) => this.#release(lease, isSaved ? 'clean' : 'unclean'))
    // Once more: it may have been renewed while it was removed.
    await this.#deregister()
    this.#stop.abort()
    await this.#loops
  }

  async #lookRegularly(): Promise<void> {
    const { clock } = this.#options.ports
    while (!this.#stop.signal.aborted) {
      this.#wake = new AbortController()
      const everyMs = Math.min(LOOK_EVERY_MS, this.#terms.leaseMs / 5)
      // At the moment at which a dead worker's leases are free, rather than up to a second later.
      const expiryMs = (this.#board.nextExpiryMs() ?? Number.POSITIVE_INFINITY) - clock.monotonicMs()
      const waitMs = expiryMs > 0 ? Math.min(everyMs, expiryMs) : everyMs
      await clock.sleep(waitMs, AbortSignal.any([this.#stop.signal, this.#wake.signal]))
      if (this.#stop.signal.aborted) return
      try {
        await this.#board.look()
        await this.#look()
      } catch (error) {
        this.#warn(error, 'the leases were not looked at and are again soon')
      }
    }
  }

  async #renewRegularly(): Promise<void> {
    const { clock } = this.#options.ports
    while (!this.#stop.signal.aborted) {
      await clock.sleep(this.#terms.leaseMs / 3, this.#stop.signal)
      if (this.#stop.signal.aborted) return
      if (!this.#isClosed)
        await this.#register().catch((error) => this.#warn(error, 'this worker was not seen'))
      await this.#each([...this.#held.values()], (lease) =>
        lease.renew().catch((error) => this.#onLeaseError(lease, error)),
      )
    }
  }

  /** Whatever the storage does: what is over is let go in time (O2). */
  async #watchDeadlines(): Promise<void> {
    const { clock } = this.#options.ports
    while (!this.#stop.signal.aborted) {
      let next = clock.monotonicMs() + this.#terms.leaseMs / 3
      for (const lease of this.#held.values()) next = Math.min(next, lease.endsAtMs)
      await clock.sleep(Math.max(1, next - clock.monotonicMs()), this.#stop.signal)
      for (const lease of [...this.#held.values()]) if (lease.isOver() && !lease.isReleased) this.#lost(lease)
    }
  }

  async #register(): Promise<void> {
    const { ports, name } = this.#options
    const { worker } = this.#terms
    this.#renewals += 1
    const value: WorkerRow = {
      counter: this.#renewals,
      name: name ?? worker,
      startedAtMs: this.#startedAtMs,
    }
    const expiresAtMs = ports.clock.now() + WORKER_ROW_MS
    await ports.table.put<WorkerRow>({ ...workerKey(worker), value, expiresAtMs }, 'any')
  }

  async #deregister(): Promise<void> {
    await this.#options.ports.table.delete(workerKey(this.#terms.worker), 'any').catch(ignored)
  }

  /** Acts upon what the board shows. */
  async #look(): Promise<void> {
    const workers = this.#board.workers()
    for (const [place, stored] of this.#board.leases) this.#held.get(place)?.seen(stored)
    this.#lookAtOwn(workers)
    if (this.#isClosed) return
    const views = [...this.#board.leases]
      .filter(([place, { row }]) => row.isDone !== true && this.#isKnown(place))
      .map(([place, stored]) => this.#board.view(place, stored, workers, this.#held.has(place)))
    const { take, want } = balance(views, workers, this.#terms.worker)
    await Promise.all([this.#takeAll(take), this.#each(want, (place) => this.#board.want(place))])
  }

  #lookAtOwn(workers: readonly string[]): void {
    for (const lease of [...this.#held.values()]) {
      if (lease.isLeaving) continue
      const { place, wantedBy } = lease
      const users = this.#usersOf(place)
      if (users.length > 0 && users.every((user) => user.isDone(place))) this.#leave(lease, 'done')
      else if (wantedBy !== undefined && wantedBy !== this.#terms.worker && workers.includes(wantedBy))
        this.#leave(lease, 'clean')
      else {
        for (const user of users) if (user.isWaiting(place)) user.taken(place)
        if (lease.lastStop !== 'clean' && users.every((user) => user.isRecovered(place)))
          void lease.recovered().catch((error) => this.#onLeaseError(lease, error))
      }
    }
  }

  async #takeAll(free: readonly string[]): Promise<void> {
    let hasMissed = false
    await this.#each(free, async (place) => {
      if (!(await this.#take(place))) hasMissed = true
    })
    // Somebody was faster: what is left of this worker's share shows at once.
    if (hasMissed) this.#lookSoon()
  }

  /** False: it is somebody else's by now. */
  async #take(place: string): Promise<boolean> {
    const stored = this.#board.leases.get(place)
    if (stored === undefined || this.#held.has(place)) return true
    const { ports, logger, inherit } = this.#options
    const lease = await HeldLease.take(ports, this.#terms, place, stored).catch(ignored)
    if (lease === undefined) return false
    const { takenFrom } = lease
    if (takenFrom !== undefined) {
      logger.warn(
        { place, from: takenFrom, lastStop: lease.lastStop },
        'took over from a worker that gives no sign of life: what was in flight is handled again',
      )
      // Without it a reading begins without the deaths that its events brought: its marker counts the next one.
      if (lease.lastStop === 'looping') {
        lease.ready = inherit(takenFrom)
        lease.ready.catch(() => {})
      }
    }
    // Closed while the write was under way.
    if (this.#isClosed) await this.#release(lease, 'clean')
    else {
      this.#held.set(place, lease)
      for (const user of this.#usersOf(place)) user.taken(place)
    }
    return true
  }

  #leave(lease: HeldLease, left: 'clean' | 'done'): void {
    lease.isLeaving = true
    const moving: Promise<void> = this.#handOver(lease, left)
      .catch((error) => this.#onLeaseError(lease, error))
      .finally(() => this.#moving.delete(moving))
    this.#moving.add(moving)
  }

  async #handOver(lease: HeldLease, left: 'clean' | 'done'): Promise<void> {
    const saved = await Promise.all(this.#usersOf(lease.place).map((user) => user.handOver(lease.place)))
    const isSaved = saved.every((one) => one)
    await this.#release(lease, isSaved ? left : 'unclean')
  }

  async #release(lease: HeldLease, left: 'clean' | 'unclean' | 'done'): Promise<void> {
    try {
      await lease.release(left)
    } catch (error) {
      if (!(error instanceof Fenced)) throw error
      // Its time is over, or another has it already: that says the same.
      lease.lose()
    }
    if (this.#held.get(lease.place) === lease) this.#held.delete(lease.place)
  }

  #onLeaseError(lease: HeldLease, error: unknown): void {
    if (error instanceof Fenced || lease.isOver()) this.#lost(lease)
    else this.#warn(error, `the lease of ${lease.place} was not written`)
  }

  #lost(lease: HeldLease): void {
    if (this.#held.get(lease.place) !== lease) return
    this.#held.delete(lease.place)
    lease.lose()
    this.#options.logger.warn(
      { place: lease.place },
      'a lease was not renewed in time: its reading ends, another worker goes on with it',
    )
    for (const user of this.#usersOf(lease.place)) user.lost(lease.place)
  }

  #usersOf(place: string): readonly LeaseUser[] {
    return this.#users.filter(({ prefix }) => place.startsWith(prefix)).map(({ user }) => user)
  }

  /** This application has work there: another version of it may have other streams. */
  #isKnown(place: string): boolean {
    return ROLES.some((role) => places.role(role) === place) || this.#usersOf(place).length > 0
  }

  #lookSoon(): void {
    this.#wake.abort()
  }

  async #each<T>(all: readonly T[], step: (one: T) => Promise<void>): Promise<void> {
    for (let at = 0; at < all.length; at += MAX_AT_A_TIME)
      await Promise.all(all.slice(at, at + MAX_AT_A_TIME).map(step))
  }

  #warn(error: unknown, message: string): void {
    this.#options.logger.warn({ reason: String(error) }, message)
  }
}

/** Neither a number nor with a colon: claims begin with it. */
export function workerId(clock: Clock): string {
  return `w${Math.floor(clock.random() * 2 ** 48).toString(36)}${Math.floor(clock.random() * 2 ** 48).toString(36)}`
}
