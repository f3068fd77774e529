import { keys } from '../fail/keys.ts'
import type { Table } from '../ports/table.ts'
import type { Mutex } from '../runtime/mutex.ts'

interface Suspect {
  readonly [name: string]: string | number
  readonly event: string
  /** Deaths of the process while this event was the one running, since it was last handled to its end. */
  readonly deaths: number
}

interface Marker {
  readonly [name: string]: string | readonly Suspect[]
  /** The event that is being handled, or was the last one; empty: none that a death could be put down to. */
  readonly event: string
  readonly suspects: readonly Suspect[]
}

export interface CrashTurn {
  /** Deaths of the process that this event is known to have brought. */
  readonly crashes: number
  /** The handler is done and the process lives: the event is no suspect any more. */
  readonly survived: () => Promise<void>
  /** The handler was not called, or did not come to its end: the event has nothing to do with a later death. */
  readonly left: () => Promise<void>
  /** Ends the turn; again: nothing. */
  readonly end: () => void
}

/** Says which event is being handled, so that the death of its process can be put down to it. */
export interface EventMarker {
  /**
   * Waits for the event's turn and marks it.
   * @param event - names it among all subscriptions
   */
  begin(event: string): Promise<CrashTurn>
}

/** Each death of the process adds one at most; beyond it the oldest is forgotten (I6). */
const MAX_SUSPECTS = 100

/**
 * Says which event was being handled when the process died. Used only after two unclean stops in a row: what may have
 * been running is then handled one at a time over all subscriptions, each with a marker that is durable before its
 * handler is called. Deaths are kept over the markers of other events, which are replayed before the one that kills.
 *
 * One marker for the whole process (of several workers each has one), since one event runs at a time: with one a shard, the event that was handled last
 * in another shard would be blamed too.
 */
export class CrashMarker implements EventMarker {
  readonly #table: Table
  readonly #turns: Mutex
  readonly #worker: string | undefined
  /** Deaths by event, as the last process left them. Read and changed by whoever has the turn. */
  #deaths: Map<string, number> | undefined

  /** @param worker - one of several on the engine: it has a marker of its own, and learns of those that it takes over from */
  constructor(table: Table, turns: Mutex, worker?: string) {
    this.#table = table
    this.#turns = turns
    this.#worker = worker
  }

  /** Takes over what a dead worker's marker says. Before the first event that it may have been handling. */
  async inherit(worker: string): Promise<void> {
    const inherited = await this.#read(worker)
    const endTurn = await this.#turns.acquire()
    this.#deaths ??= new Map()
    const deaths = this.#deaths
    for (const [event, count] of inherited) deaths.set(event, Math.max(count, deaths.get(event) ?? 0))
    endTurn()
  }

  async begin(event: string): Promise<CrashTurn> {
    const end = await this.#turns.acquire()
    try {
      this.#deaths ??= this.#worker === undefined ? await this.#read(undefined) : new Map<string, number>()
      const deaths = this.#deaths
      await this.#write(event, deaths)
      const survived = async (): Promise<void> => {
        if (!deaths.delete(event)) return
        // Should it not be written, the next marker says so.
        await this.#write('', deaths).catch(() => {})
      }
      // The next marker takes its place.
      const left = async (): Promise<void> => {}
      return { crashes: deaths.get(event) ?? 0, survived, left, end }
    } catch (error) {
      end()
      throw error
    }
  }

  async #read(worker: string | undefined): Promise<Map<string, number>> {
    const marker = (await this.#table.get<Marker>(keys.marker(worker)))?.value
    if (marker === undefined) return new Map()
    const deaths = new Map(marker.suspects.map((suspect) => [suspect.event, suspect.deaths]))
    if (marker.event !== '') deaths.set(marker.event, (deaths.get(marker.event) ?? 0) + 1)
    return deaths
  }

  async #write(event: string, deaths: ReadonlyMap<string, number>): Promise<void> {
    const suspects = [...deaths].map(([suspect, count]) => ({ event: suspect, deaths: count }))
    await this.#table.put<Marker>(
      { ...keys.marker(this.#worker), value: { event, suspects: suspects.slice(-MAX_SUSPECTS) } },
      'any',
    )
  }
}
