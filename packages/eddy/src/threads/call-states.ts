/** Calls that a thread may hold at a time, waiting and running. */
export const MAX_CALLS = 1_024

/** Ids of a thread's calls begin anew after this: a state and an id share 32 bits. */
export const MAX_CALL_ID: number = 2 ** 28 - 1

export type CallState = 'waiting' | 'running' | 'ended' | 'revoked'

const NUMBERS: Readonly<Record<CallState, number>> = { waiting: 0, running: 1, ended: 2, revoked: 3 }
const NAMES: readonly CallState[] = ['waiting', 'running', 'ended', 'revoked']
const STATES_BYTES = MAX_CALLS * Int32Array.BYTES_PER_ELEMENT
const MEMORY_BYTES = STATES_BYTES + MAX_CALLS * Float64Array.BYTES_PER_ELEMENT

export interface CallPlace {
  readonly id: number
  readonly place: number
}

/**
 * What a thread and its owner know of each call, in memory that both see: a thread that died, or that is busy with one
 * call for seconds, tells nothing by messages.
 *
 * - S1 The owner sets `waiting`. From there the thread takes it to `running`, or the owner to `revoked`: whoever is first.
 * - S2 Only the thread goes from `running` to `ended`.
 * - S3 A state holds the id of its call: what the thread still has of a revoked one does not touch the next one there.
 */
export class CallStates {
  readonly memory: SharedArrayBuffer
  readonly #states: Int32Array
  readonly #startedMs: Float64Array

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(MEMORY_BYTES)) {
    this.memory = memory
    this.#states = new Int32Array(memory, 0, MAX_CALLS)
    this.#startedMs = new Float64Array(memory, STATES_BYTES, MAX_CALLS)
  }

  /** Undefined: the place is another call's by now. */
  of({ id, place }: CallPlace): CallState | undefined {
    const value = Atomics.load(this.#states, place)
    return value >>> 2 === id ? NAMES[value & 3] : undefined
  }

  waits({ id, place }: CallPlace): void {
    Atomics.store(this.#states, place, packed(id, 'waiting'))
  }

  /** S1. False: it was revoked. */
  begin(call: CallPlace): boolean {
    this.#startedMs[call.place] = clockMs()
    return this.#change(call, 'waiting', 'running')
  }

  /** S1. False: it has begun. */
  revoke(call: CallPlace): boolean {
    return this.#change(call, 'waiting', 'revoked')
  }

  end(call: CallPlace): void {
    this.#change(call, 'running', 'ended')
  }

  /** For how long a call that has begun has been running. */
  ranMs({ place }: CallPlace): number {
    return clockMs() - (this.#startedMs[place] as number)
  }

  #change({ id, place }: CallPlace, from: CallState, to: CallState): boolean {
    const expected = packed(id, from)
    return Atomics.compareExchange(this.#states, place, expected, packed(id, to)) === expected
  }
}

/** The same on every thread of a process, unlike `performance.now()`. */
export function clockMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

function packed(id: number, state: CallState): number {
  return (id << 2) | NUMBERS[state]
}
