import type { CrashTurn, EventMarker } from '../consume/crash-marker.ts'
import { hasTimeLeft, type LiveTask } from '../consume/live-task.ts'
import { keys } from '../fail/keys.ts'
import type { Engine } from '../ports/engine.ts'
import { Mutex } from '../runtime/mutex.ts'
import { Stopped } from '../runtime/stop-signal.ts'

type Deaths = { readonly deaths: number }

/**
 * Counts the processes that each event was being handled in when they died. Each event has an item of its own, raised
 * before its handler is called and removed after it: so a count stands whichever process meets the event next, in
 * whatever batch. One event at a time, or the others that ran would be blamed too.
 */
export class EventMarkers {
  readonly #engine: Pick<Engine, 'table' | 'clock'>
  readonly #keptMs: number
  readonly #turns = new Mutex()

  /** @param keptMs - how long the count of an event is known that never comes again */
  constructor(engine: Pick<Engine, 'table' | 'clock'>, keptMs: number) {
    this.#engine = engine
    this.#keptMs = keptMs
  }

  /** For a task that may have waited long for its turn: begun only when its time still fits (rule 9). */
  of(task: () => Pick<LiveTask, 'deadlineMs' | 'stop'>, longestCallMs: () => number): EventMarker {
    return {
      begin: (event) =>
        this.#begin(event, () => {
          const begun = task()
          return !begun.stop.aborted && hasTimeLeft(begun, this.#engine.clock, longestCallMs())
        }),
    }
  }

  always(): EventMarker {
    return { begin: (event) => this.#begin(event, () => true) }
  }

  async #begin(event: string, mayBegin: () => boolean): Promise<CrashTurn> {
    const end = await this.#turns.acquire()
    try {
      if (!mayBegin()) throw new Stopped()
      const key = keys.deaths(event)
      const before = (await this.#engine.table.get<Deaths>(key))?.value.deaths ?? 0
      await this.#write(event, before + 1)
      return {
        crashes: before,
        survived: async () => {
          // Should it not be written, one death too many is counted.
          await this.#engine.table.delete(key, 'any').catch(() => {})
        },
        left: async () => {
          await this.#write(event, before).catch(() => {})
        },
        end,
      }
    } catch (error) {
      end()
      throw error
    }
  }

  async #write(event: string, deaths: number): Promise<void> {
    const expiresAtMs = this.#engine.clock.now() + this.#keptMs
    await this.#engine.table.put<Deaths>({ ...keys.deaths(event), value: { deaths }, expiresAtMs }, 'any')
  }
}
