import type { Clock, Table } from '@eddy/core'
import type { SqsLimits } from './sqs-limits.ts'
import type { SqsWorld } from './sqs-world.ts'
import { Journal } from './store/journal.ts'
import { loadWorld } from './store/load-world.ts'
import { unwrittenTable } from './store/unwritten-table.ts'

export interface WorldKeeperOptions {
  readonly table: Table
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly limits: SqsLimits
  readonly readOnly: boolean
}

/**
 * Has the one world of this process, loaded when it is first asked for, and loaded anew once a write has failed: what is
 * in memory then says more than what is stored.
 */
export class WorldKeeper {
  readonly #options: WorldKeeperOptions
  #world: Promise<SqsWorld> | undefined

  constructor(options: WorldKeeperOptions) {
    this.#options = options
  }

  /** Rejects with the table's error if it cannot be read; the next call tries again. */
  world(): Promise<SqsWorld> {
    this.#world ??= this.#load()
    return this.#world
  }

  async #load(): Promise<SqsWorld> {
    const { clock, limits, readOnly, signal } = this.#options
    const table = readOnly ? unwrittenTable(this.#options.table) : this.#options.table
    const ending = new AbortController()
    const end = (): void => ending.abort()
    signal.addEventListener('abort', end, { once: true })
    if (signal.aborted) end()
    const giveUp = (): void => {
      signal.removeEventListener('abort', end)
      end()
      this.#world = undefined
    }
    const journal = new Journal(table, clock, giveUp)
    try {
      const world = await loadWorld({
        table,
        clock,
        journal,
        limits,
        readOnly,
        signal: ending.signal,
      })
      const wakeAll = (): void => {
        for (const queue of world.queues.values()) queue.waiters.wakeAll()
      }
      ending.signal.addEventListener('abort', wakeAll, { once: true })
      return world
    } catch (error) {
      giveUp()
      throw error
    }
  }
}
