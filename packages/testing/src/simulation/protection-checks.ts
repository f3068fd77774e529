import type { HandlerContext, LedgerItem, ProtectOptions } from '@eddy/core'
import { Violation } from './violation.ts'

/** What the breaker's item holds, in wall time. */
export interface StoredBreaker {
  readonly kind: 'closed' | 'open' | 'ramping'
  readonly sinceMs: number
  readonly probesAtMs?: number
}

const SPAN_MS = 1_000

/**
 * Holds the starts of handlers to what protects their downstream. A start is let through a little before its handler is
 * called (a retry is claimed in between), and for each a slot is taken: so many may come together.
 */
export class ProtectionChecks {
  readonly #protect: ProtectOptions | undefined
  readonly #concurrency: number
  #boot = 0
  #open: StoredBreaker | undefined
  #starts: number[] = []
  #firsts = 0
  #retries = 0
  #bootedAtMs = 0
  #isAlone = true

  constructor(protect: ProtectOptions | undefined, concurrency: number) {
    this.#protect = protect
    this.#concurrency = concurrency
  }

  /**
   * The breaker's state changed, and is about to be written. It may say that it is open since a while ago: what it heard
   * last while probing decides once nothing more comes.
   */
  sawBreaker(state: StoredBreaker, nowMs: number): void {
    this.#open = state.kind === 'open' ? { ...state, sinceMs: Math.max(state.sinceMs, nowMs) } : undefined
  }

  /** A former owner that goes on spends of the same limits, which are kept a process: nothing can be said any more. */
  lingers(): void {
    this.#isAlone = false
  }

  /**
   * A handler call begins.
   *
   * @param item - its claim, outside the live path
   * @param isAlong - another event of the batch, whose call was counted with the first
   */
  started(
    ctx: HandlerContext,
    item: LedgerItem | undefined,
    boot: number,
    nowMs: number,
    isAlong: boolean,
  ): void {
    if (this.#protect === undefined || !this.#isAlone) return
    if (boot !== this.#boot) this.#begin(boot, nowMs)
    if (!isAlong) {
      this.#checkOpen(ctx, item, nowMs)
      this.#checkRate(nowMs)
    }
    this.#checkBudget(ctx, nowMs)
  }

  #begin(boot: number, nowMs: number): void {
    this.#boot = boot
    this.#open = undefined
    this.#starts = []
    this.#firsts = 0
    this.#retries = 0
    this.#bootedAtMs = nowMs
  }

  #checkOpen(ctx: HandlerContext, item: LedgerItem | undefined, nowMs: number): void {
    const open = this.#open
    if (open?.probesAtMs === undefined || nowMs >= open.probesAtMs) return
    const wasClaimedBefore = item?.claimedBy !== undefined && item.updatedAtMs <= open.sinceMs
    if (wasClaimedBefore) return
    throw new Violation(
      'protect',
      `${ctx.eventId} (${ctx.path} #${ctx.attempt}) started ${nowMs - open.sinceMs} ms after the breaker had opened`,
    )
  }

  #checkRate(nowMs: number): void {
    const { ratePerSecond } = this.#protect ?? {}
    if (ratePerSecond === undefined) return
    this.#starts = this.#starts.filter((atMs) => atMs > nowMs - SPAN_MS)
    this.#starts.push(nowMs)
    const most = ratePerSecond * 1.1 + 1 + this.#concurrency
    if (this.#starts.length > most)
      throw new Violation(
        'protect',
        `${this.#starts.length} handlers started within a second, over ${ratePerSecond}/s`,
      )
  }

  #checkBudget(ctx: HandlerContext, nowMs: number): void {
    const { retryBudget, retryRatePerSecond } = this.#protect ?? {}
    if (ctx.path === 'live' && ctx.attempt === 1) this.#firsts += 1
    else if (ctx.path !== 'redrive') this.#retries += 1
    const seconds = (nowMs - this.#bootedAtMs) / 1_000 + 0.1
    const slack = 1 + this.#concurrency
    const { share = 0.2, minPerSecond = 10 } = retryBudget ?? {}
    const paid = share * (this.#firsts + this.#concurrency) + minPerSecond * seconds + slack
    if (retryBudget !== undefined && this.#retries > paid)
      throw new Violation(
        'protect',
        `${this.#retries} retries, though ${this.#firsts} first attempts pay for ${paid}`,
      )
    if (retryRatePerSecond !== undefined && this.#retries > retryRatePerSecond * seconds + slack)
      throw new Violation('protect', `${this.#retries} retries in ${seconds} s, over ${retryRatePerSecond}/s`)
  }
}
