import { keys } from '../fail/keys.ts'
import type { Position } from '../model/position.ts'
import type { Table } from '../ports/table.ts'
import type { Mutex } from '../runtime/mutex.ts'

interface Suspect {
  readonly [name: string]: string | number
  readonly position: Position
  /** Deaths of the process while this event was the one running, since it was last handled to its end. */
  readonly deaths: number
}

interface Marker {
  readonly [name: string]: Position | readonly Suspect[]
  /** The event that is being handled. */
  readonly position: Position
  readonly suspects: readonly Suspect[]
}

export interface CrashTurn {
  /** Deaths of the process that this event is known to have brought. */
  readonly crashes: number
  /** Ends the turn; again: nothing. */
  readonly end: () => void
}

/** Each death of the process adds one at most; beyond it the oldest is forgotten (I6). */
const MAX_SUSPECTS = 100

/**
 * Says which event was being handled when the process died. Used only after two unclean stops in a row: what may have
 * been running is then handled one at a time over all subscriptions, each with a marker that is durable before its
 * handler is called. Deaths are kept over the markers of other events, which are replayed before the one that kills.
 */
export class CrashMarker {
  readonly #table: Table
  readonly #suspects: Mutex
  readonly #subscription: string
  readonly #shardId: string
  /** Deaths by event, as the last process left them. */
  #deaths: Promise<Map<Position, number>> | undefined

  constructor(table: Table, suspects: Mutex, subscription: string, shardId: string) {
    this.#table = table
    this.#suspects = suspects
    this.#subscription = subscription
    this.#shardId = shardId
  }

  /** Waits for the event's turn and marks it. */
  async begin(position: Position): Promise<CrashTurn> {
    const endTurn = await this.#suspects.acquire()
    try {
      const deaths = await this.#load()
      await this.#write(position, deaths)
      const end = (): void => {
        // Handled to its end: it kills nobody. The next marker says so.
        deaths.delete(position)
        endTurn()
      }
      return { crashes: deaths.get(position) ?? 0, end }
    } catch (error) {
      endTurn()
      throw error
    }
  }

  async #load(): Promise<Map<Position, number>> {
    this.#deaths ??= this.#read()
    try {
      return await this.#deaths
    } catch (error) {
      this.#deaths = undefined
      throw error
    }
  }

  async #read(): Promise<Map<Position, number>> {
    const marker = (await this.#table.get<Marker>(this.#key()))?.value
    if (marker === undefined) return new Map()
    const deaths = new Map(marker.suspects.map((suspect) => [suspect.position, suspect.deaths]))
    deaths.set(marker.position, (deaths.get(marker.position) ?? 0) + 1)
    return deaths
  }

  async #write(position: Position, deaths: ReadonlyMap<Position, number>): Promise<void> {
    const suspects = [...deaths].map(([suspect, count]) => ({ position: suspect, deaths: count }))
    await this.#table.put<Marker>(
      { ...this.#key(), value: { position, suspects: suspects.slice(-MAX_SUSPECTS) } },
      'any',
    )
  }

  #key(): { readonly partition: string; readonly sort: string } {
    return { partition: keys.marker(this.#subscription), sort: this.#shardId }
  }
}
