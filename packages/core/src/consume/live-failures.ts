import { announce, countParked } from '../fail/announce.ts'
import { afterDelivery, waitingItem } from '../fail/failed-event.ts'
import type { HoldEntry } from '../fail/hold.ts'
import { laneId, laneName, laneOf, shardLaneName } from '../fail/lane.ts'
import { isFinal, type LedgerEntry, type LedgerWrite } from '../fail/ledger.ts'
import { writeInOrder } from '../fail/planned-write.ts'
import type { ShardGate } from '../fail/shard-gate.ts'
import { itemToken, laneToken, type Token } from '../fail/tokens.ts'
import type { DeliveryResult } from '../handle/delivery.ts'
import type { LedgerItem } from '../model/ledger-item.ts'
import { persist, Stopped } from '../runtime/stop-signal.ts'
import type { SubscriptionParts } from '../runtime/subscription-parts.ts'
import type { LiveTask } from './live-task.ts'

type Failed = Extract<DeliveryResult, { kind: 'failed' }>

/**
 * What becomes of an event on the live path that failed, or waits behind one that did: rules 3 and 4 of the hold
 * protocol. When a method returns, the event is resolved, or in the ledger with its payload (I2).
 */
export class LiveFailures {
  readonly #parts: SubscriptionParts
  readonly #gate: ShardGate

  constructor(parts: SubscriptionParts, gate: ShardGate) {
    this.#parts = parts
    this.#gate = gate
  }

  /**
   * Writes down how a delivery went: one event at a time or in a batch (I7). Undefined: there is nothing to write.
   *
   * @throws Stopped when nothing is known of it: the event stays unresolved
   */
  settle(task: LiveTask, result: DeliveryResult): Promise<void> | undefined {
    const { engine, metrics, policy } = this.#parts
    if (result.kind === 'given-back' || result.kind === 'lost') throw new Stopped()
    // Another process may have the shard by now, and this event with it.
    if (task.reading.isOver()) throw new Stopped()
    if (result.kind === 'ok' && result.tries.length === 1) {
      metrics.handled.ok += 1
      return undefined
    }
    metrics.retries += Math.max(0, result.tries.length - 1)
    const item = afterDelivery(this.#newItem(task), result, policy.failure, engine.clock)
    return result.kind === 'ok' ? this.#record(task, item) : this.#enter(task, result, item)
  }

  /** The event waits in the ledger, which it may not have reached before the last stop (rule 4b). */
  async wait(task: LiveTask): Promise<void> {
    await this.#put(task, this.#newItem(task))
  }

  /** It was resolved before the last stop. */
  skip(): void {
    this.#parts.metrics.skipped += 1
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
    const { blocks } = this.#parts.policy.failure
    if (blocks === 'nothing' || task.isFree === true) {
      await this.#put(task, item)
      return await this.#send(itemToken(item), item.dueAtMs)
    }
    // Taken in under another policy: others of its shard, before it and after it, run beside it. It holds its key.
    if (blocks === 'key' || !task.isSharded) return await this.#hold(laneName(task.meta), task, item)
    await this.#hold(shardLaneName(task.meta.shardId), task, item)
    await this.#gate.waitUntilFree(task.meta.shardId, task.stop, task.deadlineMs)
  }

  /** Rule 3: hold, then ledger, then token. */
  async #hold(name: string, task: LiveTask, item: LedgerItem): Promise<void> {
    const { holds, ledger, notify, definition, engine } = this.#parts
    const { meta } = task
    const { epoch } = task.reading
    const isShard = name === shardLaneName(meta.shardId)
    const lane = isShard ? { key: name } : meta
    let stands: LedgerItem
    for (;;) {
      const found = holds.lookup(name)
      const entry = found instanceof Promise ? await found : found
      if (entry !== undefined && meta.position < entry.hold.lo) return this.skip()
      if (entry?.hold.state === 'held' && entry.hold.epoch === epoch) {
        if (await this.divert(name, entry, task)) return
        continue
      }
      const place = {
        position: meta.position,
        laneId: this.laneId(task),
        shardId: meta.shardId,
        epoch,
        ...(isShard && { cause: laneOf(meta) }),
      }
      const [held, entered] = await this.#persist('holding a key', async () =>
        writeInOrder(
          engine.table,
          holds.planHold(name, entry, lane, place),
          await ledger.planCreate(place.laneId, item, task.bytes),
        ),
      )
      if (held?.ok !== true) continue
      stands = await this.#standing(task, item, entered)
      break
    }
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
  async divert(name: string, entry: HoldEntry, task: LiveTask): Promise<boolean> {
    if (task.reading.isOver()) throw new Stopped()
    const { holds, ledger, metrics, engine } = this.#parts
    const { meta } = task
    const waiting = this.#newItem(task)
    const place = { tail: meta.position, shardId: meta.shardId, epoch: task.reading.epoch }
    let entered: LedgerWrite | undefined
    if (entry.hold.tail < meta.position) {
      const [extended, created] = await this.#persist('diverting an event', async () =>
        writeInOrder(
          engine.table,
          holds.planExtend(name, entry, place),
          await ledger.planCreate(this.laneId(task), waiting, task.bytes),
        ),
      )
      if (extended?.ok !== true) return false
      entered = created
    }
    const item = await this.#standing(task, waiting, entered)
    metrics.diverted += 1
    // The reader comes by again after a crash between the hold and its token.
    if (meta.position === entry.hold.lo && item.parked !== true && !isFinal(item))
      await this.#send(laneToken(meta), item.dueAtMs)
    return true
  }

  /** Puts the item if there is none, and returns what stands there. */
  async #put(task: LiveTask, item: LedgerItem): Promise<LedgerItem> {
    const written = await this.#persist('writing the failure ledger', () =>
      this.#parts.ledger.create(this.laneId(task), item, task.bytes),
    )
    return await this.#standing(task, item, written)
  }

  /** What stands in the ledger after the attempt to put the item there; undefined: it was not made yet. */
  async #standing(task: LiveTask, item: LedgerItem, written: LedgerWrite | undefined): Promise<LedgerItem> {
    if (written?.ok === true) {
      if (item.status !== 'held') announce(this.#parts, item)
      else if (item.parked === true) countParked(this.#parts, item)
      return written.entry.item
    }
    return written?.current?.item ?? (await this.#put(task, item))
  }

  /** The end of an event that nothing waits for: resolved in place, dead or dropped. */
  async #record(task: LiveTask, item: LedgerItem): Promise<void> {
    const { ledger } = this.#parts
    const written = await this.#persist('writing the failure ledger', () =>
      ledger.create(this.laneId(task), item, task.bytes),
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

  /** A replayed event that is known already: its timer may be missing. */
  async wake({ item }: LedgerEntry): Promise<void> {
    this.skip()
    if (!isFinal(item) && item.parked !== true) await this.#send(itemToken(item), item.dueAtMs)
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
      this.laneId(task),
      task.meta,
      task.bytes,
      this.#parts.engine.clock.now(),
    )
  }

  laneId(task: LiveTask): string {
    task.laneId ??= laneId(this.#parts.engine, task.meta)
    return task.laneId
  }

  #persist<T>(what: string, step: () => Promise<T>): Promise<T> {
    const { engine, stopping, logger } = this.#parts
    return persist(engine.clock, stopping, logger, what, step)
  }
}
