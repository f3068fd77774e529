import { HandlerCrashedError } from '../errors/handler-errors.ts'
import type { HoldEntry } from '../fail/holds.ts'
import { laneName, shardLaneName } from '../fail/lane.ts'
import { isFinal } from '../fail/ledger.ts'
import type { ShardGate } from '../fail/shard-gate.ts'
import { itemToken } from '../fail/tokens.ts'
import { type DeliveryResult, deliver, FIRST_DELIVERY } from '../handle/delivery.ts'
import { errorInfo } from '../policies/error-info.ts'
import { persist } from '../runtime/stop-signal.ts'
import type { SubscriptionParts } from '../runtime/subscription-parts.ts'
import type { CrashMarker } from './crash-marker.ts'
import { LiveFailures } from './live-failures.ts'
import type { LiveTask } from './live-task.ts'

/**
 * First attempts. When `process` returns, the event is resolved, or in the ledger with its payload (I2); the
 * checkpoint may pass it. Rules 2 to 4 of the hold protocol.
 */
export class LivePath {
  readonly #parts: SubscriptionParts
  readonly #gate: ShardGate
  readonly #failures: LiveFailures

  constructor(parts: SubscriptionParts, gate: ShardGate) {
    this.#parts = parts
    this.#gate = gate
    this.#failures = new LiveFailures(parts, gate)
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
    const known = await this.#parts.ledger.get(this.#failures.laneId(task), task.meta.position)
    if (known !== undefined) return await this.#failures.wake(known, itemToken(known.item))
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
      if (entry !== undefined && task.meta.position < entry.hold.lo) return this.#failures.skip()
      if (entry === undefined || entry.hold.state === 'open') break
      giveSlot()
      if (await this.#failures.divert(name, entry, task)) return
    }
    await this.#handle(task, giveSlot)
  }

  async #sharded(task: LiveTask, giveSlot: () => void): Promise<void> {
    const { shardId, position } = task.meta
    const found = this.#parts.holds.lookup(shardLaneName(shardId))
    const entry = found instanceof Promise ? await found : found
    if (entry !== undefined && position < entry.hold.lo) return this.#failures.skip()
    if (entry?.hold.state !== 'held') return await this.#handle(task, giveSlot)
    giveSlot()
    if (position <= entry.hold.tail) {
      // It was held before the last stop. It may not have reached the ledger then: rule 4b.
      await this.#failures.wait(task)
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

  async #handle(task: LiveTask, giveSlot: () => void): Promise<void> {
    const { marker } = task
    if (task.isReplay && (await this.#isDecided(task))) return this.#failures.skip()
    const result = await (marker === undefined ? this.#deliver(task) : this.#deliverMarked(task, marker))
    giveSlot()
    const settling = this.#failures.settle(task, result)
    if (settling !== undefined) await settling
  }

  /**
   * It came to its end before the process died, or a person has sent it again since: it is not handled here too. What
   * waits in the ledger otherwise, its hold says.
   */
  async #isDecided(task: LiveTask): Promise<boolean> {
    const known = await this.#parts.ledger.get(this.#failures.laneId(task), task.meta.position)
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
    const { definition, policy, engine, stopping, logger } = this.#parts
    const { meta } = task
    const turn = await persist(engine.clock, stopping, logger, 'marking an event', () =>
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
