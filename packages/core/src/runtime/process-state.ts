import { EngineOwnedError, EngineSharedError } from '../errors/engine-errors.ts'
import { keys } from '../fail/keys.ts'
import type { Table } from '../ports/table.ts'

interface State {
  readonly [name: string]: number | boolean | undefined
  readonly epoch: number
  readonly isClean: boolean
  /** Unclean stops in a row before the replay was done. */
  readonly uncleanStops: number
  /** Workers have begun with the engine: their epochs and their claims are not those of one owner, for good. */
  readonly isShared?: boolean
}

const UNUSED: State = { epoch: 0, isClean: true, uncleanStops: 0 }

/** What the process knows of its former lives: the epoch that fences them, and whether they ended well. */
export class ProcessState {
  readonly epoch: number
  /** `looping`: it died twice before it had replayed what was running at the first death. */
  readonly lastStop: 'clean' | 'unclean' | 'looping'
  readonly #table: Table

  #uncleanStops: number

  private constructor(table: Table, epoch: number, uncleanStops: number) {
    this.#table = table
    this.epoch = epoch
    this.#uncleanStops = uncleanStops
    this.lastStop = uncleanStops === 0 ? 'clean' : uncleanStops === 1 ? 'unclean' : 'looping'
  }

  /**
   * One item says how the engine is owned, and each write of it rests on its version: of an owner and a worker that begin
   * at the same moment one is refused.
   *
   * @throws EngineSharedError where workers have begun
   */
  static async begin(table: Table): Promise<ProcessState> {
    for (;;) {
      const stored = await table.get<State>(keys.process)
      const before = stored?.value ?? UNUSED
      if (before.isShared === true) throw new EngineSharedError()
      const uncleanStops = before.isClean ? 0 : before.uncleanStops + 1
      const epoch = before.epoch + 1
      const written = await table.put<State>(
        { ...keys.process, value: { epoch, isClean: false, uncleanStops } },
        stored?.version ?? 'absent',
      )
      if (!written.ok) continue
      return new ProcessState(table, epoch, uncleanStops)
    }
  }

  /**
   * From here on workers own the engine.
   * @throws EngineOwnedError where one process owns all of it, or died as its owner
   */
  static async share(table: Table): Promise<void> {
    for (;;) {
      const stored = await table.get<State>(keys.process)
      const before = stored?.value ?? UNUSED
      if (before.isShared === true) return
      if (!before.isClean || before.uncleanStops > 0) throw new EngineOwnedError()
      const value = { ...before, isShared: true }
      const written = await table.put<State>({ ...keys.process, value }, stored?.version ?? 'absent')
      if (written.ok) return
    }
  }

  /** Everything that was running at the last death is done: the next death begins a new count. */
  async recovered(): Promise<void> {
    this.#uncleanStops = 0
    await this.#write({ epoch: this.epoch, isClean: false, uncleanStops: 0 })
  }

  /** A clean stop. One that comes before everything is replayed leaves the rest of the replay to the next start. */
  async end(): Promise<void> {
    const uncleanStops = Math.max(0, this.#uncleanStops - 1)
    await this.#write({ epoch: this.epoch, isClean: this.#uncleanStops === 0, uncleanStops })
  }

  async #write(value: State): Promise<void> {
    const stored = await this.#table.get<State>(keys.process)
    // A later epoch owns the state: it is not ours to write.
    if (stored === undefined || stored.value.epoch !== this.epoch) return
    await this.#table.put<State>({ ...keys.process, value }, stored.version)
  }
}
