import { type Clock, EngineClosedError, type ItemKey, type PutItem, putInOrder, type Table } from '@eddy/core'

const MAX_PUTS_A_GROUP = 100
/** Waits between the tries of a flush. Its writes may be repeated: they have no conditions. */
const RETRY_WAITS_MS = [20, 100, 500] as const

export interface Changes {
  /** Made in this order, so that none is there without those before it. */
  readonly puts?: readonly PutItem[]
  /** Made at any time beside them. */
  readonly deletes?: readonly ItemKey[]
  /** Made once all of the puts and deletes are there. */
  readonly finally?: readonly ItemKey[]
}

/** Changes that are flushed together. A later put of a key takes the earlier one's place. */
class Batch {
  readonly groups: PutItem[][] = []
  readonly deletes = new Map<string, ItemKey>()
  readonly finally = new Map<string, ItemKey>()
  readonly done: PromiseWithResolvers<void> = withResolvers()
  readonly #puts = new Map<string, { readonly group: PutItem[]; readonly at: number }>()

  add(changes: Changes): void {
    const group: PutItem[] = []
    for (const item of changes.puts ?? []) {
      const name = nameOf(item)
      const earlier = this.#puts.get(name)
      if (earlier !== undefined) {
        earlier.group[earlier.at] = item
        continue
      }
      this.#puts.set(name, { group, at: group.length })
      group.push(item)
    }
    if (group.length > 0) this.groups.push(group)
    for (const key of changes.deletes ?? []) this.deletes.set(nameOf(key), key)
    for (const key of changes.finally ?? []) this.finally.set(nameOf(key), key)
  }

  get isEmpty(): boolean {
    return this.groups.length === 0 && this.deletes.size === 0 && this.finally.size === 0
  }
}

/**
 * Makes the changes of the queues durable. One flush at a time, and whatever is asked for meanwhile is the next one, so
 * what an operation did is there before what was done after it (I1): state in memory may run ahead, since no answer is
 * given before `commit` resolves. Once a flush has failed in the end, memory and table may differ: the journal takes
 * nothing more, and its owner loads anew.
 *
 * A key that was deleted is never put again in the same flush: sequences are not used twice.
 */
export class Journal {
  readonly #table: Table
  readonly #clock: Clock
  readonly #onBroken: (error: unknown) => void
  #open = new Batch()
  #flushing: Batch | undefined
  #broken: { readonly error: unknown } | undefined

  constructor(table: Table, clock: Clock, onBroken: (error: unknown) => void) {
    this.#table = table
    this.#clock = clock
    this.#onBroken = onBroken
  }

  /** Resolves when these changes are durable, and all that were handed in before. */
  commit(changes: Changes): Promise<void> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken.error)
    this.#open.add(changes)
    if (this.#open.isEmpty) return this.#flushing?.done.promise ?? Promise.resolve()
    const { promise } = this.#open.done
    if (this.#flushing === undefined) void this.#run()
    return promise
  }

  /** For changes that nobody waits for: a failure shows in the next commit. */
  commitLater(changes: Changes): void {
    this.commit(changes).catch(ignore)
  }

  async #run(): Promise<void> {
    while (!this.#open.isEmpty && this.#broken === undefined) {
      const batch = this.#open
      this.#flushing = batch
      this.#open = new Batch()
      try {
        await this.#flush(batch)
        batch.done.resolve()
      } catch (error) {
        this.#break(error, batch)
      }
    }
    this.#flushing = undefined
  }

  #break(error: unknown, batch: Batch): void {
    this.#broken = { error }
    for (const { done } of [batch, this.#open]) {
      done.promise.catch(ignore)
      done.reject(error)
    }
    this.#onBroken(error)
  }

  async #flush(batch: Batch): Promise<void> {
    for (let tries = 0; ; tries++) {
      try {
        await allOf([
          ...batch.groups.map((group) => this.#putAll(group)),
          ...[...batch.deletes.values()].map((key) => this.#table.delete(key, 'any')),
        ])
        await allOf([...batch.finally.values()].map((key) => this.#table.delete(key, 'any')))
        return
      } catch (error) {
        const waitMs = RETRY_WAITS_MS[tries]
        if (waitMs === undefined || error instanceof EngineClosedError) throw error
        await this.#clock.sleep(waitMs)
      }
    }
  }

  async #putAll(items: readonly PutItem[]): Promise<void> {
    for (let at = 0; at < items.length; at += MAX_PUTS_A_GROUP) {
      const puts = items.slice(at, at + MAX_PUTS_A_GROUP).map((item) => ({ item, expect: 'any' as const }))
      await putInOrder(this.#table, puts)
    }
  }
}

/** Waits for all, also when one fails: no write of this try may arrive during the next one. */
async function allOf(writes: readonly Promise<unknown>[]): Promise<void> {
  for (const result of await Promise.allSettled(writes)) {
    if (result.status === 'rejected') throw result.reason
  }
}

function nameOf({ partition, sort }: ItemKey): string {
  return `${partition}\0${sort}`
}

function ignore(): void {}

interface PromiseWithResolvers<T> {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
  readonly reject: (reason: unknown) => void
}

/** `Promise.withResolvers` comes with Node 22. */
function withResolvers(): PromiseWithResolvers<void> {
  let resolve!: () => void
  let reject!: (reason: unknown) => void
  const promise = new Promise<void>((onDone, onFailed) => {
    resolve = onDone
    reject = onFailed
  })
  return { promise, resolve, reject }
}
