/**
 * Who may send events of a key next. Calls that overlap take turns by lane, in the order in which they were made, so
 * that an event never overtakes an earlier call's event of its key that is still to be accepted (I3).
 *
 * All lanes of a call are entered at once, so an earlier call is ahead in every lane and no two can wait for each other.
 */
export class LaneTurns {
  readonly #turns = new Map<string, Turn[]>()

  /** Queues up in every lane; a lane counts as often as it is named. */
  enter(lanes: Iterable<string>): Turn {
    const turn = new Turn(this.#turns)
    for (const lane of lanes) turn.add(lane)
    return turn
  }

  /** Lanes in which somebody sends or waits. */
  get size(): number {
    return this.#turns.size
  }
}

/** One call's place in its lanes. */
export class Turn {
  readonly #turns: Map<string, Turn[]>
  readonly #open = new Map<string, number>()
  #wake: (() => void) | undefined

  constructor(turns: Map<string, Turn[]>) {
    this.#turns = turns
  }

  add(lane: string): void {
    const open = this.#open.get(lane)
    this.#open.set(lane, (open ?? 0) + 1)
    if (open !== undefined) return
    const queue = this.#turns.get(lane)
    if (queue === undefined) this.#turns.set(lane, [this])
    else queue.push(this)
  }

  has(lane: string): boolean {
    return this.#turns.get(lane)?.[0] === this
  }

  /** One of the lane's events is accepted or given up; after the last one the lane is the next call's. */
  settle(lane: string): void {
    const open = this.#open.get(lane)
    if (open === undefined) return
    if (open > 1) this.#open.set(lane, open - 1)
    else this.#leave(lane)
  }

  /** Leaves every lane: the call is over, however it ended. */
  leaveAll(): void {
    for (const lane of [...this.#open.keys()]) this.#leave(lane)
  }

  /** Calls `wake` once when a lane becomes this call's; the latest registration counts. */
  onTurn(wake: (() => void) | undefined): void {
    this.#wake = wake
  }

  wakeUp(): void {
    this.#wake?.()
  }

  #leave(lane: string): void {
    this.#open.delete(lane)
    const queue = this.#turns.get(lane)
    const index = queue?.indexOf(this) ?? -1
    if (queue === undefined || index < 0) return
    queue.splice(index, 1)
    if (queue.length === 0) this.#turns.delete(lane)
    else if (index === 0) queue[0]?.wakeUp()
  }
}
