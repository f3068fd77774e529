import { type HandlerContext, type LedgerItem, recordName } from '@eddy/core'
import { LateHolds } from './late-holds.ts'
import type { OrderPromises } from './order-promises.ts'
import type { PositionedRecord } from './stored-records.ts'
import type { StoredView } from './stored-view.ts'
import { Violation } from './violation.ts'

interface Seen {
  /** Steps of this run, not time: of the last call's begin, and of the last success. */
  startedAt: number
  okAt: number | undefined
  okBoot: number | undefined
  /** Highest attempt number outside the live path. */
  attempt: number
  /** Of the last call, in this life of the process. */
  lastAttempt: number
  lastBoot: number
  isLive: boolean
  kills: number
  /** Of the call before the last one. */
  previous: Pick<Seen, 'startedAt' | 'lastAttempt' | 'lastBoot'> | undefined
}

/** An event that kills the process is given up after a few deaths; others' deaths may come in between. */
const MAX_KILLS = 12

/** What must not be handled again: what a retry, a checkpoint, a clean stop or a cut is done with. */
export class AgainChecks {
  readonly #view: StoredView
  readonly #promises: OrderPromises
  readonly #seen = new Map<string, Seen>()
  readonly #passed = new Set<string>()
  readonly #doneAtCleanStop = new Set<string>()
  readonly #doomed = new Set<string>()
  readonly #maybeLate = new Set<string>()
  readonly lateHolds: LateHolds
  #steps = 0

  constructor(view: StoredView, promises: OrderPromises) {
    this.#view = view
    this.#promises = promises
    this.lateHolds = new LateHolds(view)
  }

  /** A handler call begins. */
  started(eventId: string, ctx: HandlerContext, item: LedgerItem | undefined, boot: number): void {
    if (ctx.path === 'live') this.#checkLive(eventId, ctx, item)
    else this.#checkRetry(eventId, ctx, item)
    if (item !== undefined && item.redrives.length === 0 && this.#doomed.has(item.id))
      throw new Violation(
        'I3',
        `${eventId} was to be dead-lettered with an earlier event of its key, and started`,
      )
    const seen = this.#of(eventId)
    // A former owner's item counts none of what its successor did before the item came.
    if (seen.lastBoot === boot && ctx.attempt <= seen.lastAttempt && !this.#maybeLate.has(eventId))
      throw new Violation(
        'I9',
        `${eventId} has attempt ${ctx.attempt} after attempt ${seen.lastAttempt} of this life`,
      )
    seen.previous = {
      startedAt: seen.startedAt,
      lastAttempt: seen.lastAttempt,
      lastBoot: seen.lastBoot,
    }
    seen.lastBoot = boot
    seen.lastAttempt = ctx.attempt
    seen.isLive = ctx.path === 'live'
    seen.startedAt = this.#steps += 1
  }

  succeeded(eventId: string, boot: number): void {
    const seen = this.#of(eventId)
    seen.okAt = this.#steps += 1
    seen.okBoot = boot
    if (seen.isLive) this.lateHolds.handled(eventId)
  }

  hasGoneWell(eventId: string): boolean {
    return this.#seen.get(eventId)?.okAt !== undefined
  }

  /** What fails after it went well once (replayed in a batch that failed as a whole) is to be retried. */
  failed(eventId: string): void {
    this.#of(eventId).okAt = undefined
  }

  /** The last call does not count. */
  discounted(eventId: string): void {
    const seen = this.#of(eventId)
    Object.assign(seen, seen.previous)
  }

  /** A former owner that goes on may bring it back. */
  mayBeLate(eventId: string): void {
    this.#maybeLate.add(eventId)
  }

  isMaybeLate(eventId: string): boolean {
    return this.#maybeLate.has(eventId)
  }

  /** I9: an event that kills the process again and again is given up. */
  killed(eventId: string): void {
    const seen = this.#of(eventId)
    seen.kills += 1
    if (seen.kills > MAX_KILLS)
      throw new Violation('I9', `${eventId} killed the process ${seen.kills} times and is not given up`)
  }

  /** C1: what a stored checkpoint is past never comes again. */
  passed(shardId: string, sequenceNumber: string): void {
    this.#passed.add(`${shardId}/${sequenceNumber}`)
  }

  /** What the life that is about to stop had handled, first try, and has nothing else to do for. */
  doneIn(boot: number): string[] {
    return [...this.#seen].filter(([, seen]) => seen.okBoot === boot).map(([eventId]) => eventId)
  }

  stoppedCleanly(done: readonly string[]): void {
    for (const eventId of done) this.#doneAtCleanStop.add(eventId)
  }

  /** An event takes its key's waiting tail with it: from here on nothing that waits there may run. */
  cutting(item: LedgerItem): void {
    const lane = laneOf(item)
    // One that waits by itself, since nothing blocked when it failed, takes nothing with it.
    const hold = this.#view
      .holds()
      .find(({ state, laneId, lo }) => state === 'held' && laneId === lane && lo <= item.position)
    if (hold === undefined) return
    for (const other of this.#view.ledger()) {
      if (
        laneOf(other) === lane &&
        other.position > item.position &&
        other.status === 'held' &&
        other.attempts === 0
      )
        this.#doomed.add(other.id)
    }
  }

  #checkLive(eventId: string, ctx: HandlerContext, item: LedgerItem | undefined): void {
    if (item === undefined) {
      if (this.#passed.has(`${ctx.shardId}/${recordName(ctx)}`))
        throw new Violation('I2', `${eventId} was handled again though a stored checkpoint was past it`)
      if (this.#doneAtCleanStop.has(eventId))
        throw new Violation('I2', `${eventId} was handled before a clean stop, and again`)
      return
    }
    const wasRetried =
      item.deliveries > 1 || (item.history.length === 1 && item.history[0]?.error === undefined)
    const isUntouched = item.redrives.length === 0 && item.editOf === undefined && item.editedBy === undefined
    if (FINAL.includes(item.status) && wasRetried && isUntouched && !this.#maybeLate.has(eventId))
      throw new Violation('I3', `${eventId} is ${item.status} by a retry, and the live path handles it again`)
  }

  #checkRetry(eventId: string, ctx: HandlerContext, item: LedgerItem | undefined): void {
    const seen = this.#of(eventId)
    if (ctx.attempt <= seen.attempt)
      throw new Violation('I9', `${eventId} has attempt ${ctx.attempt} after attempt ${seen.attempt}`)
    seen.attempt = ctx.attempt
    if (this.#promises.isAlways('nothing') || ctx.outOfOrder || seen.okAt === undefined) return
    if (item === undefined || item.redrives.length > 0 || item.editOf !== undefined) return
    if (this.lateHolds.reached(eventId)) return
    const later = this.#laterInLane(ctx).find(
      (record) => (this.#seen.get(record.eventId)?.startedAt ?? 0) > (seen.okAt as number),
    )
    if (later !== undefined)
      throw new Violation('I3', `${eventId} had gone well, ${later.eventId} after it, and is retried now`)
  }

  /** Of the same lane, after it, and never sent again by a person. */
  #laterInLane(ctx: HandlerContext): PositionedRecord[] {
    const records = this.#view.records()
    const own = this.#view.recordAt(ctx.shardId, ctx.position)
    if (own === undefined) return []
    const redriven = new Set(
      this.#view
        .ledger()
        .filter((item) => item.redrives.length > 0)
        .map((item) => `${item.shardId}/${item.position}`),
    )
    return records.filter(
      (other) =>
        this.#promises.isOrdered(own, other) && !redriven.has(`${other.record.shardId}/${other.position}`),
    )
  }

  #of(eventId: string): Seen {
    let seen = this.#seen.get(eventId)
    if (seen === undefined) {
      seen = {
        startedAt: 0,
        okAt: undefined,
        okBoot: undefined,
        attempt: 0,
        lastAttempt: 0,
        lastBoot: 0,
        isLive: false,
        kills: 0,
        previous: undefined,
      }
      this.#seen.set(eventId, seen)
    }
    return seen
  }
}

const FINAL: readonly LedgerItem['status'][] = ['dead', 'dropped', 'archived', 'resolved']

function laneOf(item: LedgerItem): string {
  return item.id.split(':')[1] as string
}
