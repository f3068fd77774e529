import type { OwnedTask, TaskOwner } from './task-owner.ts'

/**
 * One lane's part in a batch: what becomes of its events, in their order.
 *
 * What is written of an event comes after all that is written of those before it: a hold says that everything before
 * its own event is done with (H1), and a replay would pass over an earlier event that is not (I2).
 */
export class BatchTurn<E extends OwnedTask> {
  readonly entries: readonly E[]
  /** When every event has ended: those that are to be taken up again, in their order. Does not reject. */
  readonly over: Promise<readonly E[]>
  readonly #owner: TaskOwner<E>
  readonly #open: Set<E>
  readonly #again: E[] = []
  #writes: Promise<void> | undefined
  #resolve: (again: readonly E[]) => void = () => {}

  /** @param entries - begun; each is ended with one call of the owner */
  constructor(entries: readonly E[], owner: TaskOwner<E>) {
    this.entries = entries
    this.#owner = owner
    this.#open = new Set(entries)
    this.over = new Promise((resolve) => {
      this.#resolve = resolve
    })
    this.#look()
  }

  /** The event is done with once `step` is, which begins when the steps before it are done. */
  settle(entry: E, step: () => Promise<unknown> | undefined): void {
    if (this.#writes === undefined) {
      try {
        const writing = step()
        if (writing === undefined) this.#end(entry)
        else this.#writes = this.#finish(entry, writing)
      } catch (error) {
        this.abandon(error)
      }
      return
    }
    this.#writes = this.#writes.then(async () => {
      // An event before it has been abandoned: it stays unresolved too.
      if (!this.#open.has(entry)) return
      try {
        await step()
        this.#end(entry)
      } catch (error) {
        this.abandon(error)
      }
    })
  }

  /** The events go back to their lane. */
  takeUpAgain(entries: readonly E[]): void {
    for (const entry of entries) {
      if (!this.#open.delete(entry)) continue
      this.#again.push(entry)
      this.#owner.putBack(entry)
    }
    this.#look()
  }

  /** Everything that has not ended stays unresolved. */
  abandon(error: unknown): void {
    for (const entry of this.#open) this.#owner.failed(entry, error)
    this.#open.clear()
    this.#look()
  }

  async #finish(entry: E, writing: Promise<unknown>): Promise<void> {
    try {
      await writing
      this.#end(entry)
    } catch (error) {
      this.abandon(error)
    }
  }

  #end(entry: E): void {
    if (!this.#open.delete(entry)) return
    this.#owner.done(entry)
    this.#look()
  }

  #look(): void {
    if (this.#open.size === 0) this.#resolve(this.#again)
  }
}
