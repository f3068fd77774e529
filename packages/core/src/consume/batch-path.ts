import type { BatchEntry } from '../handle/batch-call.ts'
import { deliverBatch } from '../handle/batch-delivery.ts'
import { Stopped } from '../runtime/stop-signal.ts'
import type { SubscriptionParts } from '../runtime/subscription-parts.ts'
import { BatchTurn } from './batch-turn.ts'
import type { LivePath, Look } from './live-path.ts'
import type { OwnedTask, TaskOwner } from './task-owner.ts'

/** An event that the handler is called with. */
interface Called<E extends OwnedTask> extends BatchEntry {
  readonly turn: BatchTurn<E>
  readonly entry: E
}

/** What a batch calls the handler with: one call, that is what its slot is for. */
interface Calls<E extends OwnedTask> {
  readonly together: Called<E>[]
  /** It may have killed the process: such events are handled one at a time, each with a marker. Resolves with its call. */
  alone: Promise<void> | undefined
}

/**
 * First attempts of several events in one call of the handler. The same looks before and the same ends after as for an
 * event alone (`LivePath`, `LiveFailures`). What differs: an event that stands behind its lane's first failure is given
 * back to the lane, and taken up again once that failure is settled (I3).
 */
export class BatchPath {
  readonly #parts: SubscriptionParts
  readonly #livePath: LivePath

  constructor(parts: SubscriptionParts, livePath: LivePath) {
    this.#parts = parts
    this.#livePath = livePath
  }

  /**
   * @param lanes - the events of each lane, in order
   * @param giveSlot - called when the handler is done: what follows needs no handler slot
   * @returns for each lane a promise that does not reject: what of the lane is to be taken up again
   */
  process<E extends OwnedTask>(
    lanes: readonly (readonly E[])[],
    giveSlot: () => void,
    owner: TaskOwner<E>,
  ): readonly Promise<readonly E[]>[] {
    const turns = lanes.map(
      (entries) =>
        new BatchTurn(
          entries.filter((entry) => owner.begin(entry)),
          owner,
        ),
    )
    void this.#run(turns).then(giveSlot, (error) => {
      for (const turn of turns) turn.abandon(error)
      giveSlot()
    })
    return turns.map(({ over }) => over)
  }

  /** Resolves when no handler of the batch runs any more. */
  async #run<E extends OwnedTask>(turns: readonly BatchTurn<E>[]): Promise<void> {
    let isWaiting = false
    const looks = turns.map((turn) =>
      turn.entries.map(({ task }) => {
        const look = this.#livePath.look(task)
        if (look instanceof Promise) isWaiting = true
        return look
      }),
    )
    // Storage is asked only in a replay, and with more holds than are kept in memory.
    const known = isWaiting ? await Promise.all(looks.map((all) => Promise.all(all))) : looks
    const calls: Calls<E> = { together: [], alone: undefined }
    for (const [lane, turn] of turns.entries()) this.#sort(turn, lane, known[lane] as readonly Look[], calls)
    if (calls.alone !== undefined) await calls.alone
    else if (calls.together.length > 0) await this.#callProtected(calls.together)
    else this.#parts.protection.unused('first')
  }

  /** Begins what needs no handler, and finds the events for which it is called. */
  #sort<E extends OwnedTask>(
    turn: BatchTurn<E>,
    lane: number,
    looks: readonly Look[],
    calls: Calls<E>,
  ): void {
    const { entries } = turn
    let isCalled = false
    for (const [index, entry] of entries.entries()) {
      const look = looks[index] as Look
      const { task } = entry
      const isFree = look.kind === 'nothing'
      const isTaken = calls.alone !== undefined || (task.marker !== undefined && calls.together.length > 0)
      if (look.kind === 'done' || look.kind === 'known') {
        turn.settle(entry, () => this.#livePath.settleLook(task, look))
      } else if (isFree ? isTaken : isCalled) {
        turn.takeUpAgain(entries.slice(index))
        return
      } else if (look.kind === 'held') {
        void this.#waitWithLane(turn, entries.slice(index))
        return
      } else if (task.marker === undefined) {
        calls.together.push({ turn, entry, lane, meta: task.meta, bytes: task.bytes })
        isCalled = true
      } else {
        const handled = new Promise<void>((giveSlot) => {
          turn.settle(entry, () => this.#livePath.process(task, giveSlot).finally(giveSlot))
        })
        calls.alone = Promise.race([handled, turn.over.then(() => {})])
        isCalled = true
      }
    }
  }

  /** The lane is held: its events go to wait in the ledger, one after another, for as long as it is. */
  async #waitWithLane<E extends OwnedTask>(turn: BatchTurn<E>, entries: readonly E[]): Promise<void> {
    try {
      for (const [index, entry] of entries.entries()) {
        for (;;) {
          const look = await this.#livePath.look(entry.task)
          if (look.kind === 'nothing') {
            turn.takeUpAgain(entries.slice(index))
            return
          }
          if (await this.#livePath.settleLook(entry.task, look)) break
        }
        turn.settle(entry, () => undefined)
      }
    } catch (error) {
      turn.abandon(error)
    }
  }

  async #callProtected<E extends OwnedTask>(called: readonly Called<E>[]): Promise<void> {
    const { protection } = this.#parts
    if (!protection.isActive) return await this.#call(called, undefined)
    const { stop } = (called[0] as Called<E>).entry.task
    // The breaker may have opened since the slot was taken.
    const phase = protection.begin() ?? (await protection.begun(stop))
    if (phase === undefined) for (const { turn, entry } of called) turn.takeUpAgain([entry])
    else {
      protection.takeAlong(called.length - 1)
      await this.#call(called, phase)
    }
  }

  #mayCallAgain<E extends OwnedTask>(called: readonly Called<E>[], events: number): boolean {
    const { protection } = this.#parts
    if (!called.some(isOver) && protection.begin() !== undefined) return true
    for (let event = 0; event < events; event += 1) protection.unused('retry')
    return false
  }

  /** @param phase - of the breaker, where there is one: each event's outcome counts */
  async #call<E extends OwnedTask>(all: readonly Called<E>[], phase: number | undefined): Promise<void> {
    const { runner, definition, engine, logger, policy, protection } = this.#parts
    const called: Called<E>[] = []
    for (const one of all) {
      // What was waited for may have taken longer than the lease (O2).
      if (isOver(one)) one.turn.abandon(new Stopped())
      else called.push(one)
    }
    if (called.length === 0) return protection.unused('first')
    await deliverBatch(runner, policy, engine.clock, called, {
      onResult: ({ turn, entry }, result) => {
        if (result.kind === 'again') return turn.takeUpAgain([entry])
        if (phase !== undefined) protection.ended(phase, entry.task.meta.position, result)
        turn.settle(entry, () => this.#livePath.failures.settle(entry.task, result))
      },
      mayTryInPlace: protection.takeInPlace,
      mayCallAgain: (events) => this.#mayCallAgain(called, events),
      onWarning: ({ meta: { sequenceNumber } }, warning) =>
        logger.warn({ subscription: definition.name, sequenceNumber }, warning),
    })
  }
}

/** Another process may have its shard, or its queue, by now. */
function isOver<E extends OwnedTask>({ entry }: Called<E>): boolean {
  return entry.task.reading.isOver()
}
