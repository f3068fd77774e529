import { keys } from '../fail/keys.ts'
import type { Position } from '../model/position.ts'
import type { Table } from '../ports/table.ts'
import type { Mutex } from '../runtime/mutex.ts'

interface Marker {
  readonly [name: string]: string | number
  readonly position: Position
  /** Deaths in a row while this event was the one running. */
  readonly deaths: number
}

export interface CrashTurn {
  /** Deaths of the process that this event is known to have brought. */
  readonly crashes: number
  /** Ends the turn; again: nothing. */
  readonly end: () => void
}

/**
 * Says which event was being handled when the process died. Used only after two unclean stops in a row: what may have
 * been running is then handled one at a time over all subscriptions, each with a marker that is durable before its
 * handler is called.
 */
export class CrashMarker {
  readonly #table: Table
  readonly #suspects: Mutex
  readonly #subscription: string
  readonly #shardId: string
  #last: Promise<Marker | undefined> | undefined

  constructor(table: Table, suspects: Mutex, subscription: string, shardId: string) {
    this.#table = table
    this.#suspects = suspects
    this.#subscription = subscription
    this.#shardId = shardId
  }

  /** Waits for the event's turn and marks it. */
  async begin(position: Position): Promise<CrashTurn> {
    const end = await this.#suspects.acquire()
    try {
      return { crashes: await this.#mark(position), end }
    } catch (error) {
      end()
      throw error
    }
  }

  async #mark(position: Position): Promise<number> {
    const key = { partition: keys.marker(this.#subscription), sort: this.#shardId }
    this.#last ??= this.#table.get<Marker>(key).then((item) => item?.value)
    const last = await this.#last
    const deaths = last?.position === position ? last.deaths + 1 : 0
    await this.#table.put<Marker>({ ...key, value: { position, deaths } }, 'any')
    this.#last = Promise.resolve(undefined)
    return deaths
  }
}
