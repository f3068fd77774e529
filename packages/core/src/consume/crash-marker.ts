import { keys } from '../fail/keys.ts'
import type { Position } from '../model/position.ts'
import type { Table } from '../ports/table.ts'

interface Marker {
  readonly [name: string]: string | number
  readonly position: Position
  /** Deaths in a row while this event was the one running. */
  readonly deaths: number
}

/**
 * Says which event was running when the process died. Written, and durable, before the event is handled; only after
 * two unclean stops in a row, when events are replayed one at a time.
 */
export class CrashMarker {
  readonly #table: Table
  readonly #subscription: string
  readonly #shardId: string
  #last: Marker | undefined

  constructor(table: Table, subscription: string, shardId: string) {
    this.#table = table
    this.#subscription = subscription
    this.#shardId = shardId
  }

  async load(): Promise<void> {
    this.#last = (
      await this.#table.get<Marker>({ partition: keys.marker(this.#subscription), sort: this.#shardId })
    )?.value
  }

  /** @returns the deaths that this event is known to have brought, before it is handled once more */
  async mark(position: Position): Promise<number> {
    const deaths = this.#last?.position === position ? this.#last.deaths + 1 : 0
    const marker = { position, deaths }
    await this.#table.put<Marker>(
      { partition: keys.marker(this.#subscription), sort: this.#shardId, value: marker },
      'any',
    )
    this.#last = undefined
    return deaths
  }
}
