import { HandlerCrashedError } from '../errors/handler-errors.ts'
import { announce } from '../fail/announce.ts'
import { afterDelivery, waitingItem } from '../fail/failed-event.ts'
import type { HoldEntry } from '../fail/holds.ts'
import { laneId, laneName, shardLaneName } from '../fail/lane.ts'
import { isFinal, type LedgerEntry } from '../fail/ledger.ts'
import type { ShardGate } from '../fail/shard-gate.ts'
import { itemToken, laneToken, type Token } from '../fail/tokens.ts'
import type { EventMeta } from '../handle/context.ts'
import { type DeliveryResult, deliver, FIRST_DELIVERY } from '../handle/delivery.ts'
import type { LedgerItem } from '../model/ledger-item.ts'
import { errorInfo } from '../policies/error-info.ts'
import { persist, Stopped } from '../runtime/stop-signal.ts'
import type { SubscriptionParts } from '../runtime/subscription-parts.ts'
import type { CrashMarker } from './crash-marker.ts'

/** One record on the live path. */
export interface LiveTask {
  readonly meta: EventMeta
  readonly bytes: Uint8Array
  /** It may have been handled before an unclean stop. */
  readonly isReplay: boolean
  /** Set when such events are handled one at a time, since the process died again and again. */
  readonly marker?: CrashMarker
  /** Aborts when its shard's reading stops: an event that waits is given back. */
  readonly stop: AbortSignal
  /** Known once it was wanted: most events never fail. */
  laneId?: string
}

type Failed = Extract<DeliveryResult, { kind: 'failed' }>

/**
 * First attempts. When `process` returns, the event is resolved, or in the ledger with its payload (I2); the
 * checkpoint may pass it. Rules 2 to 4 of the hold protocol.
 */
export class LivePath {
  readonly #parts: SubscriptionParts
  readonly #gate: ShardGate

  constructor(parts: SubscriptionParts, gate: ShardGate) {
    this.#parts = parts
    this.#gate = gate
  }

  /**
   * @param giveSlot - called when the handler is done: what follows needs no handler slot
   * @throws Stopped when the process stops first: the event stays unresolved
   */
  process(task: LiveTask, giveSlot: () => void): Promise<void> {
    switch (this.#parts.policy.failure.blocks) {
      case 'nothing':
        return task.isReplay ? this.#flowingAgain(task, giveSlot) : this.#handle(task, giveSlot)
      case 'key':
        return this.#keyed(task, giveSlot)
      case 'shard':
        return this.#sharded(task, giveSlot)
    }
  }

  async #flowingAgain(task: LiveTask, giveSlot: () => void): Promise<void> {
    const known = await this.#parts.ledger.get(this.#laneId(task), task.meta.position)
    if (known !== undefined) return await this.#wake(known, itemToken(known.item))
    await this.#handle(task, giveSlot)
  }

  #keyed(task: LiveTask, giveSlot: () => void): Promise<void> {
    const found = this.#parts.holds.lookup(laneName(task.meta))
    // Most keys were never held: nothing is waited for.
    return found === undefined
      ? this.#handle(task, giveSlot)
      : this.#keyedWithHold(task, giveSlot, Promise.resolve(found))
  }

  async #keyedWithHold(
    task: LiveTask,
    giveSlot: () => void,
    looked: Promise<HoldEntry | undefined>,
  ): Promise<void> {
    const name = laneName(task.meta)
    for (let found = looked; ; found = Promise.resolve(this.#parts.holds.lookup(name))) {
      const entry = await found
      if (entry !== undefined && task.meta.position < entry.hold.lo) return this.#skip()
      if (entry === undefined || entry.hold.state === 'open') break
      giveSlot()
      if (await this.#divert(name, entry, task)) return
    }
    await this.#handle(task, giveSlot)
  }

  async #sharded(task: LiveTask, giveSlot: () => void): Promise<void> {
    const { shardId, position } = task.meta
    const found = this.#parts.holds.lookup(shardLaneName(shardId))
    const entry = found instanceof Promise ? await found : found
    if (entry !== undefined && position < entry.hold.lo) return this.#skip()
    if (entry?.hold.state !== 'held') return await this.#handle(task, giveSlot)
    giveSlot()
    if (position <= entry.hold.tail) {
      // It was held before the last stop. It may not have reached the ledger then: rule 4b.
      await this.#put(task, this.#newItem(task))
      return await this.#gate.waitUntilFree(shardId, task.stop)
    }
    // Of a later pass, begun while the shard waited.
    await this.#gate.waitUntilFree(shardId, task.stop)
    await this.#parts.slots.takeRetry()
    let hasSlot = true
    const give = (): void => {
      if (hasSlot) this.#parts.slots.give()
      hasSlot = false
    }
    try {
      await this.#handle(task, give)
    } finally {
      give()
    }
  }

  #skip(): void {
    this.#parts.metrics.skipped += 1
  }

  async #handle(task: LiveTask, giveSlot: () => void): Promise<void> {
    const { engine, metrics, policy } = this.#parts
    const { marker } = task
    if (task.isReplay && (await this.#isDecided(task))) return this.#skip()
    const result = await (marker === undefined ? this.#deliver(task) : this.#deliverMarked(task, marker))
    giveSlot()
    if (result.kind === 'given-back' || result.kind === 'lost') throw new Stopped()
    if (result.kind === 'ok' && result.tries.length === 1) {
      metrics.handled.ok += 1
      return
    }
    metrics.retries += Math.max(0, result.tries.length - 1)
    const item = afterDelivery(this.#newItem(task), result, policy.failure, engine.clock)
    if (result.kind === 'ok') return await this.#record(task, item)
    await this.#enter(task, result, item)
  }

  /**
   * It came to its end before the process died, or a person has sent it again since: it is not handled here too. What
   * waits in the ledger otherwise, its hold says.
   */
  async #isDecided(task: LiveTask): Promise<boolean> {
    const known = await this.#parts.ledger.get(this.#laneId(task), task.meta.position)
    return known !== undefined && (isFinal(known.item) || known.item.outOfOrder === true)
  }

  #deliver({ meta, bytes }: LiveTask): Promise<DeliveryResult> {
    const { runner, definition, engine, logger, policy } = this.#parts
    return deliver(runner, policy.failure, engine.clock, meta, bytes, FIRST_DELIVERY, {
      path: 'live',
      outOfOrder: false,
      onWarning: (warning) =>
        logger.warn({ subscription: definition.name, sequenceNumber: meta.sequenceNumber }, warning),
    })
  }

  async #deliverMarked(task: LiveTask, marker: CrashMarker): Promise<DeliveryResult> {
    const { definition, policy } = this.#parts
    const { meta } = task
    const turn = await this.#persist('marking an event', () =>
      marker.begin(`${definition.name}/${meta.shardId}/${meta.position}`),
    )
    try {
      if (turn.crashes >= policy.failure.maxCrashes) return givenUp(turn.crashes)
      const result = await this.#deliver(task)
      if (result.kind !== 'given-back') await turn.survived()
      return result
    } finally {
      turn.end()
    }
  }

  /** A failed event enters the ledger; what waits behind it depends on `blocks`. */
  async #enter(task: LiveTask, result: Failed, made: LedgerItem): Promise<void> {
    let item = made
    if (result.decision.kind === 'exhausted') item = await this.#compensate(task, item)
    // On the live path nothing waits behind the event yet: its key's tail is empty.
    if (item.cutting === true) {
      const { cutting: _cutting, ...rest } = item
      item = { ...rest, status: 'dead' }
    }
    if (isFinal(item)) return await this.#record(task, item)
    switch (this.#parts.policy.failure.blocks) {
      case 'nothing': {
        await this.#put(task, item)
        return await this.#send(itemToken(item), item.dueAtMs)
      }
      case 'key':
        return await this.#hold(laneName(task.meta), task, item)
      case 'shard': {
        await this.#hold(shardLaneName(task.meta.shardId), task, item)
        return await this.#gate.waitUntilFree(task.meta.shardId, task.stop)
      }
    }
  }

  /** Rule 3: hold, then ledger, then token. */
  async #hold(name: string, task: LiveTask, item: LedgerItem): Promise<void> {
    const { holds, epoch, notify, definition, engine } = this.#parts
    const { meta } = task
    const isShard = name === shardLaneName(meta.shardId)
    const lane = isShard ? { key: name } : meta
    for (;;) {
      const found = holds.lookup(name)
      const entry = found instanceof Promise ? await found : found
      if (entry !== undefined && meta.position < entry.hold.lo) return this.#skip()
      if (entry?.hold.state === 'held' && entry.hold.epoch === epoch) {
        if (await this.#divert(name, entry, task)) return
        continue
      }
      const written = await this.#persist('holding a key', () =>
        holds.hold(name, entry, lane, {
          position: meta.position,
          laneId: this.#laneId(task),
          shardId: meta.shardId,
        }),
      )
      if (written.ok) break
    }
    const stands = await this.#put(task, item)
    notify({
      kind: 'key-held',
      subscription: definition.name,
      id: item.id,
      key: meta.key,
      parked: stands.parked === true,
      reason: item.lastError?.message ?? '',
      atMs: engine.clock.now(),
    })
    if (!isShard && stands.parked !== true) await this.#send(laneToken(meta), stands.dueAtMs)
  }

  /** Rule 4: tail, then ledger. False: the hold changed, decide again. */
  async #divert(name: string, entry: HoldEntry, task: LiveTask): Promise<boolean> {
    const { holds, metrics } = this.#parts
    const { meta } = task
    if (entry.hold.tail < meta.position) {
      const extended = await this.#persist('diverting an event', () =>
        holds.extend(name, entry, meta.position, meta.shardId),
      )
      if (!extended.ok) return false
    }
    const item = await this.#put(task, this.#newItem(task))
    metrics.diverted += 1
    // The reader comes by again after a crash between the hold and its token.
    if (meta.position === entry.hold.lo && item.parked !== true && !isFinal(item))
      await this.#send(laneToken(meta), item.dueAtMs)
    return true
  }

  /** Puts the item if there is none, and returns what stands there. */
  async #put(task: LiveTask, item: LedgerItem): Promise<LedgerItem> {
    const written = await this.#persist('writing the failure ledger', () =>
      this.#parts.ledger.create(this.#laneId(task), item, task.bytes),
    )
    if (!written.ok && written.current === undefined) return await this.#put(task, item)
    const stands = written.ok ? written.entry.item : (written.current as LedgerEntry).item
    if (written.ok && item.status !== 'held') announce(this.#parts, stands)
    return stands
  }

  /** The end of an event that nothing waits for: resolved in place, dead or dropped. */
  async #record(task: LiveTask, item: LedgerItem): Promise<void> {
    const { ledger } = this.#parts
    const written = await this.#persist('writing the failure ledger', () =>
      ledger.create(this.#laneId(task), item, task.bytes),
    )
    if (written.ok) return announce(this.#parts, item)
    const known = written.current
    if (known === undefined) return await this.#record(task, item)
    // Replayed after a crash. What was decided stands; what was still open ends as this attempt did.
    if (isFinal(known.item)) return
    const replaced = await this.#persist('writing the failure ledger', () =>
      ledger.replace(known, {
        ...known.item,
        ...item,
        attempts: known.item.attempts + item.attempts,
        redrives: known.item.redrives,
      }),
    )
    if (replaced.ok) announce(this.#parts, item)
    else await this.#record(task, item)
  }

  async #wake(known: LedgerEntry, token: Token): Promise<void> {
    this.#skip()
    if (!isFinal(known.item) && known.item.parked !== true) await this.#send(token, known.item.dueAtMs)
  }

  async #compensate(task: LiveTask, item: LedgerItem): Promise<LedgerItem> {
    const problem = await this.#parts.runner.runOnExhausted(task.meta, task.bytes, {
      attempt: item.attempts,
      path: 'live',
      outOfOrder: false,
    })
    if (problem === undefined) return item
    this.#parts.logger.error({ failure: item.id, reason: problem }, 'onExhausted failed')
    return { ...item, note: problem.slice(0, 1_000) }
  }

  #send(token: Token, dueAtMs: number | undefined): Promise<void> {
    return this.#persist('sending a retry token', () => this.#parts.tokens.send(token, dueAtMs))
  }

  #newItem(task: LiveTask): LedgerItem {
    return waitingItem(
      this.#parts.definition.name,
      this.#laneId(task),
      task.meta,
      task.bytes,
      this.#parts.engine.clock.now(),
    )
  }

  #laneId(task: LiveTask): string {
    task.laneId ??= laneId(this.#parts.engine, task.meta)
    return task.laneId
  }

  #persist<T>(what: string, step: () => Promise<T>): Promise<T> {
    const { engine, stopping, logger } = this.#parts
    return persist(engine.clock, stopping, logger, what, step)
  }
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
