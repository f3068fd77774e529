import { HandlerCrashedError } from '../errors/handler-errors.ts'
import { type HoldEntry, isWithin } from '../fail/hold.ts'
import { laneName, shardLaneName } from '../fail/lane.ts'
import type { LedgerEntry } from '../fail/ledger.ts'
import type { ShardGate } from '../fail/shard-gate.ts'
import { type DeliveryResult, deliver, FIRST_DELIVERY } from '../handle/delivery.ts'
import { errorInfo } from '../policies/error-info.ts'
import { persist, Stopped } from '../runtime/stop-signal.ts'
import type { SubscriptionParts } from '../runtime/subscription-parts.ts'
import type { EventMarker } from './crash-marker.ts'
import { LiveFailures } from './live-failures.ts'
import { hasTimeLeft, type LiveTask } from './live-task.ts'
import type { Slot } from './slots.ts'

/** What stands between an event and its handler. */
export type Look =
  | { readonly kind: 'nothing' }
  /** It is done with: it was resolved before the last stop. */
  | { readonly kind: 'done' }
  /** It is in the ledger, and nothing waits for it there: its timer may be missing. */
  | { readonly kind: 'known'; readonly entry: LedgerEntry }
  | { readonly kind: 'held'; readonly name: string; readonly entry: HoldEntry }

const NOTHING: Look = { kind: 'nothing' }
const DONE: Look = { kind: 'done' }

/**
 * First attempts. When `process` returns, the event is resolved, or in the ledger with its payload (I2); the
 * checkpoint may pass it. Rules 2 to 4 of the hold protocol.
 */
export class LivePath {
  readonly failures: LiveFailures
  readonly #parts: SubscriptionParts
  readonly #gate: ShardGate

  constructor(parts: SubscriptionParts, gate: ShardGate) {
    this.#parts = parts
    this.#gate = gate
    this.failures = new LiveFailures(parts, gate)
  }

  /**
   * @param giveSlot - called when the handler is done: what follows needs no handler slot
   * @throws Stopped when the process stops first: the event stays unresolved
   */
  process(task: LiveTask, giveSlot: () => void): Promise<void> {
    const look = this.look(task)
    // Most keys were never held: nothing is waited for.
    return look === NOTHING ? this.#handle(task, giveSlot) : this.#processAfter(look, task, giveSlot)
  }

  /** Rule 2 of the hold protocol; a promise only when storage must be asked. */
  look(task: LiveTask): Look | Promise<Look> {
    const { holds } = this.#parts
    const ofKey = holds.lookup(laneName(task.meta))
    const ofShard = task.isSharded ? holds.lookup(shardLaneName(task.meta.shardId)) : undefined
    if (ofKey === undefined && ofShard === undefined && !task.isReplay) return NOTHING
    return ofKey instanceof Promise || task.isSharded || task.isReplay
      ? this.#lookAgain(task, ofShard, ofKey)
      : this.#lookAtKey(task, ofKey)
  }

  /**
   * Does what `look` found.
   * @returns false: the hold is another by now, look again
   */
  async settleLook(task: LiveTask, look: Exclude<Look, { kind: 'nothing' }>): Promise<boolean> {
    switch (look.kind) {
      case 'done':
        this.failures.skip()
        return true
      case 'known':
        await this.failures.wake(look.entry)
        return true
      case 'held':
        if (look.name === shardLaneName(task.meta.shardId)) return await this.#waitWithShard(task, look.entry)
        if (!task.isSharded || isWithin(look.entry, task.meta))
          return await this.failures.divert(look.name, look.entry, task)
        // What waits in its key since an earlier policy comes before it, and all of the shard waits for that.
        await this.#gate.waitForKey(task.meta.shardId, look.name, task.stop)
        return false
    }
  }

  async #processAfter(first: Look | Promise<Look>, task: LiveTask, giveSlot: () => void): Promise<void> {
    const { slots, protection } = this.#parts
    let hasGiven = false
    for (let look = await first; look.kind !== 'nothing'; look = await this.look(task)) {
      if (!hasGiven) protection.unused('first')
      giveSlot()
      hasGiven = true
      if (await this.settleLook(task, look)) return
    }
    if (!hasGiven) return await this.#handle(task, giveSlot)
    let slot: Slot | undefined
    while (slot === undefined) slot = await slots.takeRetry('first')
    const { phase } = slot
    let hasSlot = true
    const give = (): void => {
      if (hasSlot) slots.give(phase)
      hasSlot = false
    }
    try {
      await this.#handle(task, give)
    } finally {
      give()
    }
  }

  async #lookAgain(
    task: LiveTask,
    ofShard: HoldEntry | undefined | Promise<HoldEntry | undefined>,
    ofKey: HoldEntry | undefined | Promise<HoldEntry | undefined>,
  ): Promise<Look> {
    const inShard = lookAtHold(task, shardLaneName(task.meta.shardId), await ofShard)
    if (inShard.kind === 'done') return DONE
    const isOwn = inShard.kind === 'held' && task.meta.position <= inShard.entry.hold.tail
    if (isOwn) return inShard
    const inKey = this.#lookAtKey(task, await ofKey)
    // It may have its place in its key already, since an earlier policy.
    const hasPlace = inKey.kind === 'held' && isWithin(inKey.entry, task.meta)
    if (inKey.kind === 'done' || hasPlace || inShard === NOTHING) {
      return inKey === NOTHING && task.isReplay ? await this.#lookIntoLedger(task) : inKey
    }
    return inShard
  }

  #lookAtKey(task: LiveTask, entry: HoldEntry | undefined): Look {
    const look = lookAtHold(task, laneName(task.meta), entry)
    if (look.kind !== 'held' || this.#parts.policy.failure.blocks !== 'nothing') return look
    // What came to wait before `blocks` was changed is handled in its order; nothing new joins it.
    task.isFree = task.meta.position > look.entry.hold.tail
    return task.isFree ? NOTHING : look
  }

  /**
   * What is known there already came to its end, or waits for its own token (what waits in a lane, its hold says). It is
   * not handled here too.
   */
  async #lookIntoLedger(task: LiveTask): Promise<Look> {
    const entry = await this.#parts.ledger.get(this.failures.laneId(task), task.meta.position)
    return entry === undefined ? NOTHING : { kind: 'known', entry }
  }

  /** @returns true when the event came to its end with the shard; false when it is next itself */
  async #waitWithShard(task: LiveTask, entry: HoldEntry): Promise<boolean> {
    const { shardId, position } = task.meta
    // It was held before the last stop. It may not have reached the ledger then: rule 4b. Otherwise it is of a later
    // pass, begun while the shard waited.
    const isHeld = position <= entry.hold.tail
    if (isHeld) await this.failures.wait(task)
    await this.#gate.waitUntilFree(shardId, task.stop, task.deadlineMs)
    return isHeld
  }

  async #handle(task: LiveTask, giveSlot: () => void): Promise<void> {
    giveBackIfStopped(task)
    const { marker } = task
    const result = await (marker === undefined ? this.#deliver(task) : this.#deliverMarked(task, marker))
    giveSlot()
    const settling = this.failures.settle(task, result)
    if (settling !== undefined) await settling
  }

  #deliver(task: LiveTask): Promise<DeliveryResult> {
    return this.#parts.protection.isActive ? this.#deliverProtected(task) : this.#call(task)
  }

  async #deliverProtected(task: LiveTask): Promise<DeliveryResult> {
    const { protection } = this.#parts
    // The breaker may have opened since the slot was taken.
    const phase = protection.begin() ?? (await protection.begun(task.stop))
    if (phase === undefined) return { kind: 'given-back' }
    // It may have waited for the breaker beyond its lease (O2).
    if (task.reading.isOver()) {
      protection.unused('first')
      return { kind: 'given-back' }
    }
    const result = await this.#call(task)
    protection.ended(phase, task.meta.position, result)
    return result
  }

  #call(task: LiveTask): Promise<DeliveryResult> {
    const { meta, bytes } = task
    const { runner, definition, engine, logger, policy, protection } = this.#parts
    return deliver(runner, policy, engine.clock, meta, bytes, FIRST_DELIVERY, {
      path: 'live',
      outOfOrder: false,
      hasTimeLeft: () => !task.reading.isOver() && hasTimeLeft(task, engine.clock, runner.longestCallMs),
      mayTryInPlace: protection.takeInPlace,
      onWarning: (warning) =>
        logger.warn({ subscription: definition.name, sequenceNumber: meta.sequenceNumber }, warning),
    })
  }

  async #deliverMarked(task: LiveTask, marker: EventMarker): Promise<DeliveryResult> {
    const { definition, policy, engine, stopping, logger } = this.#parts
    const { meta } = task
    const turn = await persist(engine.clock, stopping, logger, 'marking an event', () =>
      marker.begin(`${definition.name}/${meta.shardId}/${meta.position}`),
    )
    try {
      giveBackIfStopped(task)
      if (turn.crashes >= policy.failure.maxCrashes) return givenUp(turn.crashes)
      const result = await this.#deliver(task)
      await (result.kind === 'given-back' ? turn.left() : turn.survived())
      return result
    } finally {
      turn.end()
    }
  }
}

function lookAtHold(task: LiveTask, name: string, entry: HoldEntry | undefined): Look {
  if (entry === undefined) return NOTHING
  if (task.meta.position < entry.hold.lo) return DONE
  return entry.hold.state === 'open' ? NOTHING : { kind: 'held', name, entry }
}

/** Its shard is read anew, maybe in other lanes: what only waited to be begun is begun there. */
function giveBackIfStopped(task: LiveTask): void {
  if (task.stop.aborted || task.reading.isOver()) throw new Stopped()
}

/** The process died again and again while this event was handled: it is given up without another call. */
function givenUp(crashes: number): DeliveryResult {
  const lastError = errorInfo(new HandlerCrashedError(crashes))
  return {
    kind: 'failed',
    attempts: crashes,
    tries: [],
    lastError,
    decision: { kind: 'exhausted', reason: lastError.message },
  }
}
