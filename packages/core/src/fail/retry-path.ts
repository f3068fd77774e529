import type { Slot } from '../consume/slots.ts'
import { HandlerCrashedError } from '../errors/handler-errors.ts'
import type { EventMeta } from '../handle/context.ts'
import { deliver } from '../handle/delivery.ts'
import type { AttemptPath, LedgerItem } from '../model/ledger-item.ts'
import { errorInfo } from '../policies/error-info.ts'
import type { StartKind } from '../protect/start-limits.ts'
import { persist } from '../runtime/stop-signal.ts'
import type { SubscriptionParts } from '../runtime/subscription-parts.ts'
import { announce } from './announce.ts'
import { afterCrashes, afterDelivery } from './failed-event.ts'
import type { HoldWrite } from './hold.ts'
import { isFinal, type LedgerEntry, type LedgerWrite } from './ledger.ts'
import { type PlannedWrite, writeInOrder, writeOne } from './planned-write.ts'

/** How one attempt at a ledger item went, for whoever holds its token. */
export type TryEnd =
  /** The result was written. `released`: and its lane's release with it. */
  | { readonly kind: 'settled'; readonly item: LedgerItem; readonly released: boolean }
  /** The item was changed by somebody else: look again. */
  | { readonly kind: 'look-again' }
  /** Not before then: it is not due, or an attempt is under way. */
  | { readonly kind: 'wait'; readonly untilMs: number }
  /** The deadline leaves no time for a handler (rule 9). */
  | { readonly kind: 'no-time' }
  | { readonly kind: 'given-back' }

/** An attempt that may be made. */
interface Begun {
  readonly payload: Uint8Array
  readonly crashes: number
  /** On the monotonic clock. */
  readonly deadlineMs: number
  /** Of the breaker, at its begin. */
  readonly phase: number
  readonly lane: LaneTurn | undefined
  /** Called when the handler is done. */
  readonly giveSlot: () => void
}

/** What the item's lane has to say about an attempt. */
export interface LaneTurn {
  /** Asked after a wait for a slot: an earlier event of the lane may have been redriven meanwhile. */
  isStillFirst(): Promise<boolean>
  /** The lane's release, unless more waits in it: written right after the result that ends the item. */
  planRelease(): PlannedWrite<HoldWrite> | undefined
}

/** Room between a handler's timeout and the deadline of what protects it. */
const MARGIN_MS = 10_000

/** Tries items of the failure ledger: claims, handles, writes the result unless somebody else did (rule 7). */
export class RetryPath {
  readonly #parts: SubscriptionParts

  constructor(parts: SubscriptionParts) {
    this.#parts = parts
  }

  /**
   * @param deadlineMs - on the monotonic clock; a handler is started only if its timeout fits before it
   * @param lane - of an item that has its turn in a held lane
   */
  async tryItem(entry: LedgerEntry, deadlineMs: number, lane?: LaneTurn): Promise<TryEnd> {
    const { engine, ledger, slots, suspects, claims, policy, protection } = this.#parts
    const { item } = entry
    const nowMs = engine.clock.now()
    // I5: a retry never starts before it is due.
    if (item.dueAtMs !== undefined && item.dueAtMs > nowMs) return { kind: 'wait', untilMs: item.dueAtMs }
    claims.check(item)
    const underWayUntilMs = this.underWayUntilMs(item)
    if (underWayUntilMs !== undefined) return { kind: 'wait', untilMs: underWayUntilMs }
    // A claim that counts no more has no result: its process died with it.
    const crashes =
      item.claimedBy === undefined || claims.isOwn(item) ? (item.crashes ?? 0) : (item.crashes ?? 0) + 1
    if (crashes >= policy.failure.maxCrashes) return await this.#giveUpCrashed(entry, crashes)
    const kind = startKindOf(item)
    const protectedUntilMs = this.#protectedUntilMs(kind, item, deadlineMs)
    if (protectedUntilMs !== undefined) return { kind: 'wait', untilMs: protectedUntilMs }
    const slot = await this.#takeSlot(kind)
    if (slot === undefined) return { kind: 'look-again' }
    let hasBegun = false
    let hasSlot = true
    const giveSlot = (): void => {
      if (hasSlot) slots.give(slot.phase)
      hasSlot = false
    }
    // The slot first, then the turn among suspects, as on the live path: the other order could wait in a circle. One
    // death may have met many; who was there at all but the last one allowed is worth a turn of its own.
    const isSuspect = crashes > 0 && crashes >= policy.failure.maxCrashes - 1
    const endTurn = isSuspect ? await suspects.acquire() : undefined
    try {
      // Looked at only now: waiting for a slot takes as long as it takes.
      if (!this.#hasTime(deadlineMs)) return { kind: 'no-time' }
      const mayBeLate = slot.hasWaited || isSuspect
      if (mayBeLate && lane !== undefined && !(await lane.isStillFirst())) return { kind: 'look-again' }
      const payload = await ledger.payload(entry)
      if (payload === undefined) return await this.#giveUpLost(entry)
      const phase = protection.begin()
      // The breaker has opened meanwhile: until when, the next look tells.
      if (phase === undefined) return { kind: 'look-again' }
      hasBegun = true
      return await this.#attempt(entry, { payload, crashes, deadlineMs, phase, lane, giveSlot })
    } finally {
      endTurn?.()
      if (!hasBegun) protection.unused(kind)
      giveSlot()
    }
  }

  /** Until when the item's handler may be running; undefined when it is not. */
  underWayUntilMs(item: LedgerItem): number | undefined {
    const { engine, claims } = this.#parts
    const { claimedUntilMs } = item
    if (claimedUntilMs === undefined || !claims.counts(item)) return undefined
    return claimedUntilMs > engine.clock.now() ? claimedUntilMs : undefined
  }

  /**
   * While the breaker is open a retry that is due waits, and uses up no attempt. One that would wait here for longer
   * than its token is hidden waits in the queue.
   *
   * @returns wall time, when there is something to wait for
   */
  #protectedUntilMs(kind: StartKind, item: LedgerItem, deadlineMs: number): number | undefined {
    const { protection, slots, policy, engine } = this.#parts
    const wait = protection.retryWait(kind, item.position, slots.waitingRetries)
    if (wait === undefined) return undefined
    if (!wait.isCertain && wait.untilMs + policy.timeoutMs + MARGIN_MS <= deadlineMs) return undefined
    return Math.ceil(engine.clock.now() + wait.untilMs - engine.clock.monotonicMs())
  }

  /** @returns undefined when the breaker has opened meanwhile */
  async #takeSlot(kind: StartKind): Promise<Slot | undefined> {
    const { slots, pause, protection } = this.#parts
    let hasWaited = false
    for (;;) {
      hasWaited = hasWaited || pause.isPaused
      await pause.wait()
      const slot = await slots.takeRetry(kind)
      if (slot === undefined) return undefined
      hasWaited = slot.hasWaited || hasWaited
      if (!pause.isHolding) return { hasWaited, phase: slot.phase }
      // A person paused while the slot was waited for.
      protection.unused(kind)
      slots.give(slot.phase)
    }
  }

  #hasTime(deadlineMs: number): boolean {
    return this.#parts.engine.clock.monotonicMs() + this.#parts.runner.longestCallMs + MARGIN_MS <= deadlineMs
  }

  async #attempt(entry: LedgerEntry, begun: Begun): Promise<TryEnd> {
    const { engine, runner, definition, metrics, logger, policy, protection } = this.#parts
    const { payload, crashes, deadlineMs, phase, lane, giveSlot } = begun
    if (entry.item.dueAtMs !== undefined)
      metrics.retryLateness.observe(engine.clock.now() - entry.item.dueAtMs)
    let claimed = entry
    const path = pathOf(entry.item)
    const claim = async (attempts: number): Promise<boolean> => {
      const next = await this.#claim(claimed, attempts, crashes)
      if (next !== undefined) claimed = next
      return next !== undefined
    }
    if (path !== 'live') metrics.retries += 1
    const result = await deliver(runner, policy, engine.clock, metaOf(entry.item), payload, entry.item, {
      path,
      outOfOrder: entry.item.outOfOrder === true,
      claim,
      // As long as was claimed, though the policy be changed in between: nobody tries it beside a running handler.
      longestCallMs: () => claimedTimeMs(claimed.item),
      // Out of order there is one attempt, and no more: the event is late already.
      hasTimeLeft: () => entry.item.outOfOrder !== true && this.#hasTime(deadlineMs),
      mayTryInPlace: protection.takeInPlace,
      onWarning: (warning) => logger.warn({ failure: entry.item.id }, warning),
    })
    protection.ended(phase, entry.item.position, result)
    // What follows is storage: the next handler need not wait for it.
    giveSlot()
    if (result.kind === 'lost') return { kind: 'look-again' }
    if (result.kind === 'given-back') {
      await this.#unclaim(claimed, claimed.item.attempts - (result.hasBegun === false ? 1 : 0))
      return { kind: 'given-back' }
    }
    const isExhausted = result.kind === 'failed' && result.decision.kind === 'exhausted'
    // `onExhausted` has a time limit of its own: the claim covers it too, or somebody would try the event beside it.
    if (isExhausted && definition.onExhausted !== undefined && !(await claim(result.attempts)))
      return { kind: 'look-again' }
    const next = afterDelivery(claimed.item, result, policy.failure, engine.clock)
    const longestCallMs = claimedTimeMs(claimed.item)
    return await this.#settle(
      claimed,
      isExhausted ? await this.#compensate(next, payload, longestCallMs) : next,
      lane,
    )
  }

  /** The attempt count is raised before the call, so that a crash cannot lose it. */
  async #claim(entry: LedgerEntry, attempts: number, crashes: number): Promise<LedgerEntry | undefined> {
    const { engine, ledger, claims, logger, stopping, runner } = this.#parts
    const nowMs = engine.clock.now()
    const item: LedgerItem = {
      ...entry.item,
      status: 'retrying',
      attempts,
      claimedBy: `${claims.owner}:${Math.floor(engine.clock.random() * 2 ** 48).toString(36)}`,
      claimedUntilMs: nowMs + runner.longestCallMs + MARGIN_MS,
      crashes,
      updatedAtMs: nowMs,
      statusAtMs: entry.item.status === 'retrying' ? entry.item.statusAtMs : nowMs,
    }
    const written = await persist(engine.clock, stopping, logger, 'claiming a failed event', () =>
      ledger.replace(entry, item),
    )
    if (written.ok) return written.entry
    // The answer to our own write was lost, and its repetition refused.
    return written.current?.item.claimedBy === item.claimedBy ? written.current : undefined
  }

  async #unclaim(claimed: LedgerEntry, attempts: number): Promise<void> {
    const { claimedBy: _by, claimedUntilMs: _until, crashes: _crashes, ...item } = claimed.item
    try {
      await this.#parts.ledger.replace(claimed, { ...item, attempts })
    } catch (error) {
      this.#parts.logger.warn(
        { failure: item.id, reason: String(error) },
        'a claim stays until the next start',
      )
    }
  }

  async #compensate(next: LedgerItem, payload: Uint8Array, longestCallMs?: number): Promise<LedgerItem> {
    const problem = await this.#parts.runner.runOnExhausted(metaOf(next), payload, {
      attempt: next.attempts,
      path: pathOf(next),
      outOfOrder: next.outOfOrder === true,
      ...(longestCallMs !== undefined && { longestCallMs }),
    })
    // Its failure is told, never retried: a dead-letter hook that fails must not loop (scenario 16).
    if (problem === undefined) return next
    this.#parts.logger.error({ failure: next.id, reason: problem }, 'onExhausted failed')
    return { ...next, note: problem.slice(0, 1_000) }
  }

  /** Writes the end of an attempt; when somebody else wrote first, theirs stands and ours is ignored. */
  async #settle(claimed: LedgerEntry, next: LedgerItem, lane?: LaneTurn): Promise<TryEnd> {
    const { engine, ledger, logger, metrics, stopping } = this.#parts
    const [written, released] = await persist(engine.clock, stopping, logger, 'recording an attempt', () =>
      this.#write(ledger.planReplace(claimed, next), isFinal(next) ? lane?.planRelease() : undefined),
    )
    if (!written.ok) {
      if (isSameEnd(written.current?.item, next)) announce(this.#parts, next)
      else metrics.lateResults += 1
      return { kind: 'look-again' }
    }
    announce(this.#parts, next)
    if (released?.ok === false) metrics.racedReleases += 1
    await ledger.replaced(claimed, next)
    return { kind: 'settled', item: next, released: released?.ok === true }
  }

  async #write(
    result: PlannedWrite<LedgerWrite>,
    release: PlannedWrite<HoldWrite> | undefined,
  ): Promise<readonly [LedgerWrite, HoldWrite | undefined]> {
    const { table } = this.#parts.engine
    if (release === undefined) return [await writeOne(table, result), undefined]
    const [written, released] = await writeInOrder(table, result, release)
    return [written as LedgerWrite, released]
  }

  async #giveUpCrashed(entry: LedgerEntry, crashes: number): Promise<TryEnd> {
    const { engine, ledger, policy } = this.#parts
    const next = afterCrashes(
      { ...entry.item, crashes },
      errorInfo(new HandlerCrashedError(crashes)),
      policy.failure,
      engine.clock,
    )
    const payload = await ledger.payload(entry)
    return await this.#settle(entry, payload === undefined ? next : await this.#compensate(next, payload))
  }

  /** Cannot happen by the ledger's own order of writes; if a payload was removed by hand, the item says so and nothing loops. */
  async #giveUpLost(entry: LedgerEntry): Promise<TryEnd> {
    const nowMs = this.#parts.engine.clock.now()
    return await this.#settle(entry, {
      ...entry.item,
      status: 'dead',
      reason: 'its payload is missing',
      updatedAtMs: nowMs,
      statusAtMs: nowMs,
    })
  }
}

/** The handler's part of the time that an item was claimed for. */
function claimedTimeMs(item: LedgerItem): number {
  return (item.claimedUntilMs as number) - item.updatedAtMs - MARGIN_MS
}

function startKindOf(item: LedgerItem): StartKind {
  if (item.attempts === 0) return 'first'
  return item.redrives.length > 0 && item.budgetFrom?.attempts === item.attempts ? 'asked' : 'retry'
}

/** An event that waited behind another one has its first attempt here. */
function pathOf(item: LedgerItem): AttemptPath {
  if (item.redrives.length > 0) return 'redrive'
  return item.attempts === 0 ? 'live' : 'retry'
}

/** The answer to a write was lost and its repetition refused: what stands there is what was written. */
function isSameEnd(current: LedgerItem | undefined, next: LedgerItem): boolean {
  return (
    current?.updatedAtMs === next.updatedAtMs &&
    current.status === next.status &&
    current.attempts === next.attempts
  )
}

export function metaOf(item: LedgerItem): EventMeta {
  return {
    stream: item.stream,
    shardId: item.shardId,
    sequenceNumber: item.sequenceNumber,
    subSequenceNumber: item.subSequenceNumber,
    position: item.position,
    key: item.key,
    ...(item.explicitHashKey !== undefined && { explicitHashKey: item.explicitHashKey }),
    arrivedAtMs: item.arrivedAtMs,
  }
}
