import type { HandlerContext, LedgerItem } from '@eddy/core'
import type { StoredMessage } from '../../sim/store/queue-store.ts'
import { Violation } from '../violation.ts'

/** A message that the queue accepted, and what became of it. */
export interface TaskHistory {
  readonly message: StoredMessage
  readonly dueAtMs: number
  /** A person removed it; it may have been handled all the same. */
  isPurged: boolean
  isAcknowledged: boolean
  calls: number
  successes: number
  lastOutcome: 'ok' | 'failed' | undefined
  /** Life of the process in which it is being handled. */
  runningIn: number | undefined
}

/** By sequence number: what is in the failure ledger of it, with its payload or without. */
export type LedgerView = (
  sequenceNumber: string,
) => { readonly item: LedgerItem; readonly hasPayload: boolean } | undefined

const FINAL: readonly LedgerItem['status'][] = ['dead', 'dropped', 'archived', 'resolved']

/** The ground truth of a run: every message that was accepted, every call of the handler. */
export class QueueHistory {
  readonly #tasks = new Map<string, TaskHistory>()
  readonly #blocks: 'nothing' | 'key'
  readonly #ledger: LedgerView
  boot = 0

  constructor(blocks: 'nothing' | 'key', ledger: LedgerView) {
    this.#blocks = blocks
    this.#ledger = ledger
  }

  get tasks(): readonly TaskHistory[] {
    return [...this.#tasks.values()]
  }

  accepted(message: StoredMessage): void {
    this.#tasks.set(String(message.order), {
      message,
      dueAtMs: message.dueAtMs,
      isPurged: false,
      isAcknowledged: false,
      calls: 0,
      successes: 0,
      lastOutcome: undefined,
      runningIn: undefined,
    })
  }

  /** I2: what is acknowledged is handled, or in the ledger with its payload. */
  acknowledged(message: StoredMessage): void {
    const task = this.#of(String(message.order))
    task.isAcknowledged = true
    if (task.successes > 0 || task.isPurged) return
    const stored = this.#ledger(String(message.order))
    if (stored === undefined)
      throw new Violation('I2', `${nameOf(task)} was acknowledged, never handled, and is not in the ledger`)
    if (!FINAL.includes(stored.item.status) && !stored.hasPayload)
      throw new Violation('I2', `${nameOf(task)} was acknowledged and is in the ledger without its payload`)
  }

  purged(message: StoredMessage): void {
    this.#of(String(message.order)).isPurged = true
  }

  /** A person asked for it: it may come about in part, should the process die. */
  purging(): void {
    for (const task of this.#tasks.values()) if (!task.isAcknowledged) task.isPurged = true
  }

  started(ctx: HandlerContext, nowMs: number): TaskHistory {
    const task = this.#of(ctx.sequenceNumber)
    if (task.runningIn === this.boot)
      throw new Violation('I3', `${nameOf(task)} started while it was being handled`)
    const item = this.#ledger(ctx.sequenceNumber)?.item
    if (nowMs < task.dueAtMs)
      throw new Violation('I5', `${nameOf(task)} started ${task.dueAtMs - nowMs} ms before it was due`)
    if (ctx.path !== 'live' && item?.dueAtMs !== undefined && item.dueAtMs > nowMs)
      throw new Violation('I5', `a retry of ${nameOf(task)} started ${item.dueAtMs - nowMs} ms early`)
    if (ctx.path === 'live' && item !== undefined && FINAL.includes(item.status) && item.attempts > 0)
      throw new Violation('I3', `${nameOf(task)} is ${item.status}, and the live path handles it again`)
    this.#checkGroup(task, ctx)
    task.calls += 1
    task.runningIn = this.boot
    return task
  }

  ended(task: TaskHistory, outcome: 'ok' | 'failed'): void {
    task.runningIn = undefined
    task.lastOutcome = outcome
    if (outcome === 'ok') task.successes += 1
  }

  /** I3: of a group, a message starts once those before it are done, or (`blocks: nothing`) were tried. */
  #checkGroup(task: TaskHistory, ctx: HandlerContext): void {
    const { group, order } = task.message
    if (group === undefined || (this.#blocks === 'nothing' && ctx.path !== 'live')) return
    for (const other of this.#tasks.values()) {
      if (other.message.group !== group || other.message.order >= order || other.isPurged) continue
      const item = this.#ledger(String(other.message.order))?.item
      if (this.#blocks === 'nothing') {
        if (other.calls === 0 && item === undefined)
          throw new Violation('I3', `${nameOf(task)} started before ${nameOf(other)} was tried`)
        continue
      }
      const isGivenUp = item !== undefined && FINAL.includes(item.status)
      if (other.runningIn === this.boot && !isGivenUp)
        throw new Violation('I3', `${nameOf(task)} started while ${nameOf(other)} was being handled`)
      if (other.lastOutcome === 'ok' || isGivenUp) continue
      throw new Violation(
        'I3',
        `${nameOf(task)} (${ctx.path} #${ctx.attempt}) started while ${nameOf(other)} is ${item?.status ?? other.lastOutcome ?? 'not handled'}`,
      )
    }
  }

  #of(sequenceNumber: string): TaskHistory {
    const task = this.#tasks.get(sequenceNumber)
    if (task === undefined) throw new Violation('I9', `message ${sequenceNumber} was never accepted`)
    return task
  }
}

export function nameOf({ message }: TaskHistory): string {
  return `message ${message.order}${message.group === undefined ? '' : ` of group ${message.group}`}`
}
