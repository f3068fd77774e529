import type { LedgerItem, TableItem } from '@eddy/core'
import { passedIn, resolvedIn } from './checkpoint-view.ts'
import { checkDecision } from './decision-checks.ts'
import type { History } from './history.ts'
import { HoldChecks } from './hold-checks.ts'
import type { OrderPromises } from './order-promises.ts'
import { failureOf, type StoredCheckpoint, type StoredHold, type StoredView } from './stored-view.ts'
import { Violation } from './violation.ts'

/** Holds every change of the table to what is promised of it, as it takes effect: whoever wrote it, however late. */
export class StoredChecks {
  readonly #view: StoredView
  readonly #history: History
  readonly #promises: OrderPromises
  readonly #holds: HoldChecks
  /** Of the process that began last. */
  #epoch = 0

  constructor(view: StoredView, history: History, promises: OrderPromises) {
    this.#view = view
    this.#history = history
    this.#promises = promises
    this.#holds = new HoldChecks(view, promises, history.again.lateHolds, (shardId, position) =>
      this.#hasPassed(shardId, position),
    )
  }

  /** @throws Violation */
  changed(before: TableItem | undefined, after: TableItem | undefined): void {
    const { partition, sort } = (after ?? before) as TableItem
    const [was, is] = [before?.value, after?.value] as unknown[]
    if (partition === 'process' && sort === 'state') this.#began((is as { epoch: number }).epoch)
    if (partition.startsWith('hold/')) {
      this.#held(was as StoredHold | undefined, is as StoredHold | undefined)
    } else if (partition.startsWith('ledger/')) {
      const [known, failure] = [before && failureOf(before), after && failureOf(after)]
      checkDecision(known, failure)
      if (failure !== undefined) {
        if (known === undefined) this.#entered(failure)
        else this.#redriven(known, failure)
      }
      if (failure?.cutting === true) this.#history.again.cutting(failure)
    } else if (partition.startsWith('checkpoint/')) {
      this.#checkpointed(sort, was as StoredCheckpoint | undefined, is as StoredCheckpoint)
    }
  }

  /** The process is gone: the next one reads on from what is stored now. */
  ended(): void {
    for (const [shardId, checkpoint] of this.#view.checkpoints()) this.#passed(shardId, checkpoint)
  }

  #began(epoch: number): void {
    this.#epoch = epoch
    this.#history.again.lateHolds.began(epoch)
  }

  #held(before: StoredHold | undefined, after: StoredHold | undefined): void {
    const { again } = this.#history
    again.lateHolds.changed(before, after, (eventId) => again.hasGoneWell(eventId))
    this.#holds.changed(before, after)
  }

  #entered({ editOf, shardId, position }: LedgerItem): void {
    const eventId = this.#view.recordAt(shardId, position)?.eventId
    if (editOf === undefined && eventId !== undefined) this.#promises.entered(eventId)
  }

  /** A person sends it again: from here on it waits under what the policy says now. */
  #redriven(before: LedgerItem, after: LedgerItem): void {
    const eventId = this.#view.recordAt(before.shardId, before.position.split('-')[0] as string)?.eventId
    if (eventId !== undefined && after.redrives.length > before.redrives.length) this.#promises.letGo(eventId)
  }

  #checkpointed(shardId: string, before: StoredCheckpoint | undefined, after: StoredCheckpoint): void {
    if (before !== undefined && after.epoch < before.epoch)
      throw new Violation('I2', `a former owner wrote its checkpoint of ${shardId} over a later one (C4)`)
    // A former owner's is not what the process at work began from.
    if (after.epoch === this.#epoch) this.#passed(shardId, after)
  }

  #passed(shardId: string, checkpoint: StoredCheckpoint): void {
    for (const sequence of resolvedIn(this.#view, shardId, checkpoint))
      this.#history.again.passed(shardId, sequence)
  }

  #hasPassed(shardId: string, position: string): boolean {
    const checkpoint = this.#view.checkpoints().get(shardId)
    const sequence = this.#view.recordAt(shardId, position.split('-')[0] as string)?.name
    return (
      checkpoint !== undefined &&
      sequence !== undefined &&
      passedIn(this.#view, shardId, checkpoint).includes(sequence)
    )
  }
}
