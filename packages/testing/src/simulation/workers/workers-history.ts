import type { HandlerContext, LedgerItem } from '@eddy/core'
import type { PositionedRecord } from '../stored-records.ts'
import type { StoredView } from '../stored-view.ts'
import { Violation } from '../violation.ts'

/** A call of the handler that is under way. */
export interface WorkersCall {
  readonly eventId: string
  readonly worker: number
  readonly number: number
  /** Its process stood still meanwhile: another may have taken its place, and knows nothing of this call. */
  hasStalled: boolean
}

interface EventHistory {
  calls: number
  successes: number
  lastOutcome: 'ok' | 'failed' | undefined
  readonly running: Set<WorkersCall>
}

const FINAL: readonly LedgerItem['status'][] = ['dead', 'dropped', 'archived', 'resolved']

/** What the handlers of all workers were seen doing: the ground truth that the checks hold them to. */
export class WorkersHistory {
  readonly #events = new Map<string, EventHistory>()
  readonly #view: StoredView
  readonly #blocks: 'nothing' | 'key' | 'shard'
  /** Calls by the worker, as they ended. */
  readonly workersSeen: Set<number> = new Set()

  constructor(view: StoredView, blocks: 'nothing' | 'key' | 'shard') {
    this.#view = view
    this.#blocks = blocks
  }

  of(eventId: string): EventHistory {
    let event = this.#events.get(eventId)
    if (event === undefined) {
      event = { calls: 0, successes: 0, lastOutcome: undefined, running: new Set() }
      this.#events.set(eventId, event)
    }
    return event
  }

  /** @throws Violation */
  started(eventId: string, ctx: HandlerContext, worker: number, nowMs: number): WorkersCall {
    const event = this.of(eventId)
    const item = this.#view.itemAt(ctx.shardId, ctx.position)
    if (isRunning(event))
      throw new Violation(
        'I3',
        `${eventId} started in worker ${worker} while it was being handled in ${where(event)}`,
      )
    if (ctx.path !== 'live' && item === undefined)
      throw new Violation('I2', `${eventId} is retried but is not in the ledger`)
    if (ctx.path !== 'live' && item?.dueAtMs !== undefined && item.dueAtMs > nowMs)
      throw new Violation('I5', `${eventId} attempt ${ctx.attempt} started ${item.dueAtMs - nowMs} ms early`)
    this.#checkOrder(eventId, ctx, worker, nowMs)
    const call: WorkersCall = { eventId, worker, number: event.calls, hasStalled: false }
    event.calls += 1
    event.running.add(call)
    return call
  }

  ended(call: WorkersCall, outcome: 'ok' | 'failed'): void {
    const event = this.of(call.eventId)
    event.running.delete(call)
    this.workersSeen.add(call.worker)
    if (outcome === 'ok') event.successes += 1
    // One that was taken for dead meanwhile: what came of its call may not count.
    if (outcome === 'ok' || !call.hasStalled) event.lastOutcome = outcome
  }

  stalled(worker: number): void {
    for (const { running } of this.#events.values())
      for (const call of running) if (call.worker === worker) call.hasStalled = true
  }

  died(worker: number): void {
    for (const { running } of this.#events.values())
      for (const call of running) if (call.worker === worker) running.delete(call)
  }

  /** I3: an event starts once those before it in its lane are resolved, whoever handled them. */
  #checkOrder(eventId: string, ctx: HandlerContext, worker: number, nowMs: number): void {
    if (this.#blocks === 'nothing' || ctx.outOfOrder) return
    const own = this.#view.recordAt(ctx.shardId, ctx.position)
    if (own === undefined) return
    const items = this.#view.itemsByPlace()
    for (const other of this.#view.records()) {
      if (!this.#isBefore(other, own)) continue
      const history = this.of(other.eventId)
      const item = items.get(`${other.record.shardId}/${other.position}`)
      // A person sent it again: late by agreement, or after this event had its turn.
      if (item !== undefined && isReopened(item, nowMs)) continue
      const isGivenUp = item !== undefined && FINAL.includes(item.status)
      if (isRunning(history) && !isGivenUp)
        throw new Violation(
          'I3',
          `${eventId} started in worker ${worker} while ${other.eventId}, before it in its lane, was being handled in ${where(history)}`,
        )
      if (history.lastOutcome === 'ok' || isGivenUp) continue
      throw new Violation(
        'I3',
        `${eventId} (${ctx.path} #${ctx.attempt}, worker ${worker}) started while ${other.eventId}, before it in its lane, is ${item?.status ?? history.lastOutcome ?? 'not handled'}`,
      )
    }
  }

  #isBefore(other: PositionedRecord, own: PositionedRecord): boolean {
    if (this.#blocks === 'shard' && other.record.shardId === own.record.shardId)
      return other.position < own.position
    return other.lane === own.lane && other.position < own.position
  }
}

/** An event that was picked up just before the redrive goes first: by a process that had read its lane by then. */
const PICKED_MS = 100

function isReopened(item: LedgerItem, nowMs: number): boolean {
  return item.outOfOrder === true || (item.redrives.at(-1)?.atMs ?? 0) >= nowMs - PICKED_MS
}

function isRunning({ running }: EventHistory): boolean {
  return [...running].some((call) => !call.hasStalled)
}

function where({ running }: EventHistory): string {
  return [...running].map(({ worker }) => `worker ${worker}`).join(' and ')
}
