import { afterPosition, type HandlerContext, type LedgerItem } from '@eddy/core'
import { AgainChecks } from './again-checks.ts'
import type { OrderPromises } from './order-promises.ts'
import { ProtectionChecks } from './protection-checks.ts'
import type { Scenario } from './scenario.ts'
import { isGarbage, type StoredHold, type StoredView } from './stored-view.ts'
import { Violation } from './violation.ts'

interface EventHistory {
  calls: number
  successes: number
  /** Of the last call that ended. */
  lastOutcome: 'ok' | 'failed' | undefined
  /** Boot in which a call is under way, by call number. */
  readonly running: Map<number, number>
  delivery: { readonly name: string; readonly sinceMs: number } | undefined
}

type HistoryOptions = Pick<Scenario, 'protect' | 'concurrency'>

/** What handlers were seen doing, over all lives of the process: the ground truth that the checks hold the code to. */
export class History {
  readonly #events = new Map<string, EventHistory>()
  readonly #view: StoredView
  readonly #promises: OrderPromises
  readonly again: AgainChecks
  readonly protection: ProtectionChecks
  boot = 0

  constructor(view: StoredView, promises: OrderPromises, { protect, concurrency }: HistoryOptions) {
    this.#view = view
    this.#promises = promises
    this.protection = new ProtectionChecks(protect, concurrency)
    this.again = new AgainChecks(view, promises)
  }

  of(eventId: string): EventHistory {
    let event = this.#events.get(eventId)
    if (event === undefined) {
      event = { calls: 0, successes: 0, lastOutcome: undefined, running: new Map(), delivery: undefined }
      this.#events.set(eventId, event)
    }
    return event
  }

  /**
   * A handler call begins.
   *
   * @param before - of a batch: what stands before the event in it
   * @returns its number, from 0
   */
  started(eventId: string, ctx: HandlerContext, nowMs: number, before?: ReadonlySet<string>): number {
    const event = this.of(eventId)
    const item = this.#itemAt(ctx)
    const isRunning = [...event.running.values()].includes(this.boot)
    // A former owner's hold may be written once the event is live here again: then it is retried beside itself.
    if (isRunning && !this.again.isMaybeLate(eventId))
      throw new Violation('I3', `${eventId} started while it was being handled`)
    if (ctx.path === 'live' && item === undefined)
      this.#promises.begun(eventId, this.#view.isMarked(ctx.shardId, ctx.position))
    this.again.started(eventId, ctx, item, this.boot)
    this.protection.started(ctx, item, this.boot, nowMs, (before?.size ?? 0) > 0)
    this.#checkDue(eventId, ctx, item, nowMs)
    this.#checkCounted(eventId, ctx, item)
    this.#checkOrder(eventId, ctx, nowMs, before)
    this.#checkPlace(eventId, ctx)
    const call = event.calls
    event.calls += 1
    event.running.set(call, this.boot)
    return call
  }

  /** What is about to wait there was decided on by the policy that counts now, however late its item is written. */
  holds({ state, shardId, tail }: StoredHold): void {
    if (state !== 'held' || this.#view.itemsByPlace().has(`${shardId}/${tail}`)) return
    const record = this.#view.recordAt(shardId, tail)
    if (record !== undefined) this.#promises.begun(record.eventId, false)
  }

  /**
   * The process was taken for dead and goes on. What had failed or was being handled there may enter the ledger once its
   * successor has handled it: it comes again, late. Nothing but an end of the former owner in time keeps that away.
   */
  lingers(boot: number): void {
    for (const [eventId, event] of this.#events)
      if (event.lastOutcome === 'failed' || [...event.running.values()].includes(boot))
        this.again.mayBeLate(eventId)
  }

  ended(eventId: string, call: number, outcome: 'ok' | 'failed'): void {
    const event = this.of(eventId)
    event.running.delete(call)
    event.lastOutcome = outcome
    if (outcome !== 'ok') {
      this.again.failed(eventId)
      return
    }
    this.#promises.handled(eventId)
    event.successes += 1
    this.again.succeeded(eventId, this.boot)
  }

  /** What was done with the event does not count: an event before it in its lane failed in the same batch. */
  discounted(eventId: string, call: number): void {
    const event = this.of(eventId)
    event.running.delete(call)
    event.calls -= 1
    this.again.discounted(eventId)
  }

  /** I5: no retry starts before it is due. */
  #checkDue(eventId: string, ctx: HandlerContext, item: LedgerItem | undefined, nowMs: number): void {
    if (ctx.path === 'live' || item?.dueAtMs === undefined || item.dueAtMs <= nowMs) return
    throw new Violation(
      'I5',
      `${eventId} attempt ${ctx.attempt} started ${item.dueAtMs - nowMs} ms before it was due`,
    )
  }

  /** An attempt outside the live path is counted in the ledger before it starts, so that a crash cannot lose it. */
  #checkCounted(eventId: string, ctx: HandlerContext, item: LedgerItem | undefined): void {
    if (ctx.path === 'live') return
    if (item === undefined) throw new Violation('I2', `${eventId} is retried but is not in the ledger`)
    if (item.attempts < ctx.attempt)
      throw new Violation(
        'I9',
        `${eventId} attempt ${ctx.attempt} started while the ledger counts ${item.attempts}`,
      )
  }

  /** I3: the handler of a lane's next event never starts before its previous event is resolved. */
  #checkOrder(
    eventId: string,
    ctx: HandlerContext,
    nowMs: number,
    before: ReadonlySet<string> | undefined,
  ): void {
    if (this.#promises.isAlways('nothing') || ctx.outOfOrder) return
    const records = this.#view.records()
    const own = this.#view.recordAt(ctx.shardId, ctx.position.split('-')[0] as string)
    if (own === undefined) return
    const items = this.#view.itemsByPlace()
    const since = this.#deliverySince(eventId, items.get(`${ctx.shardId}/${ctx.position}`), nowMs)
    for (const other of records) {
      if (!this.#promises.isOrdered(other, own) || before?.has(other.eventId) === true) continue
      // A record that is no event is dead-lettered by itself, without the handler, and stops no batch.
      if (before !== undefined && isGarbage(other)) continue
      const history = this.of(other.eventId)
      const item = items.get(`${other.record.shardId}/${other.position}`)
      // A person sent it again: late by agreement, or after this event's delivery had begun.
      if (item !== undefined && isReopened(item, since)) continue
      if (history.successes > 0 && this.again.isMaybeLate(other.eventId)) continue
      const isRunning = [...history.running.values()].includes(this.boot)
      const isGivenUp = item !== undefined && FINAL.includes(item.status)
      if (isRunning && !isGivenUp)
        throw new Violation(
          'I3',
          `${eventId} started while ${other.eventId}, before it in its lane, was being handled`,
        )
      if (history.lastOutcome === 'ok' || isGivenUp) continue
      throw new Violation(
        'I3',
        `${eventId} (${ctx.path} #${ctx.attempt}) started while ${other.eventId}, before it in its lane, is ${item?.status ?? history.lastOutcome ?? 'not handled'}`,
      )
    }
  }

  /** I3: an event that was sent again in its place runs while its lane is held, or is told to be out of order. */
  #checkPlace(eventId: string, ctx: HandlerContext): void {
    if (this.#promises.everMayBe('nothing') || ctx.path !== 'redrive' || ctx.outOfOrder) return
    const laneId = this.#itemAt(ctx)?.id.split(':')[1]
    const isOwn = (hold: StoredHold): boolean => {
      const isShard = hold.key.trim() !== hold.key
      if (isShard) return this.#promises.everMayBe('shard') && hold.key.trim() === ctx.shardId
      return this.#promises.everMayBe('key') && hold.laneId === laneId
    }
    const isHeld = (hold: StoredHold): boolean =>
      hold.state === 'held' && hold.lo <= ctx.position && ctx.position <= afterPosition(hold.tail)
    const holds = this.#view.holds().filter(isOwn)
    if (holds.some(isHeld)) return
    throw new Violation(
      'I3',
      `${eventId} was redriven in its place, and runs although its key is ${holds[0]?.state ?? 'not held'}`,
    )
  }

  /** When the delivery that this call belongs to began: its tries in place are one delivery. */
  #deliverySince(eventId: string, item: LedgerItem | undefined, nowMs: number): number {
    const event = this.of(eventId)
    const name = `${this.boot}/${item?.deliveries ?? 0}`
    if (event.delivery?.name !== name) event.delivery = { name, sinceMs: nowMs }
    return event.delivery.sinceMs
  }

  #itemAt(ctx: HandlerContext): LedgerItem | undefined {
    return this.#view.itemAt(ctx.shardId, ctx.position)
  }
}

const FINAL: readonly LedgerItem['status'][] = ['dead', 'dropped', 'archived', 'resolved']

/** An event that was picked up just before the redrive goes first. */
const PICKED_MS = 100

function isReopened(item: LedgerItem, sinceMs: number): boolean {
  return item.outOfOrder === true || (item.redrives.at(-1)?.atMs ?? 0) >= sinceMs - PICKED_MS
}
