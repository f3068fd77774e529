import { Fifo } from '../runtime/fifo.ts'
import type { Slots } from './slots.ts'
import type { TaskLanes } from './task-lanes.ts'

/**
 * Runs tasks of one lane one after another and different lanes concurrently, as far as slots are free.
 *
 * - L1 A lane has at most one task under way (I3).
 * - L2 Lanes take turns: after a task, a lane queues behind every lane that has one ready (fairness).
 * - L3 A task's slot is given back as soon as its handler is done; its lane goes on only when the task is.
 * - L4 At most `maxUnderWay` tasks are under way: what failed waits for storage without a slot, and thousands of them
 *   would only make the heap grow (I6).
 *
 * Bounded by its callers, who stop adding at their own limits (I6).
 */
export class Lanes<T> implements TaskLanes<T> {
  readonly #lanes = new Map<string, Lane<T>>()
  readonly #ready = new Fifo<Lane<T>>()
  readonly #slots: Slots
  readonly #run: (task: T, giveSlot: () => void) => Promise<void>
  readonly #isPaused: () => boolean
  readonly #maxUnderWay: () => number
  #underWay = 0
  #hungryBelow: () => number = () => 0
  #onHungry: () => void = () => {}
  #open = true

  /** @param run - must not reject */
  constructor(
    slots: Slots,
    isPaused: () => boolean,
    run: (task: T, giveSlot: () => void) => Promise<void>,
    maxUnderWay: () => number = () => Number.POSITIVE_INFINITY,
  ) {
    this.#isPaused = isPaused
    this.#maxUnderWay = maxUnderWay
    this.#slots = slots
    this.#run = run
    slots.onFree(() => this.pump())
  }

  onHungry(below: () => number, listener: () => void): void {
    this.#hungryBelow = below
    this.#onHungry = listener
  }

  get ready(): number {
    return this.#ready.size
  }

  get size(): number {
    return this.#lanes.size
  }

  add(laneName: string, task: T): void {
    const lane = this.#lanes.get(laneName)
    if (lane !== undefined) {
      lane.tasks.push(task)
      return
    }
    const fresh: Lane<T> = { name: laneName, tasks: new Fifo<T>() }
    fresh.tasks.push(task)
    this.#lanes.set(laneName, fresh)
    this.#ready.push(fresh)
    this.pump()
  }

  close(): void {
    this.#open = false
  }

  pump(): void {
    while (
      this.#open &&
      this.#underWay < this.#maxUnderWay() &&
      this.#ready.size > 0 &&
      !this.#isPaused() &&
      this.#slots.takeLive()
    ) {
      const lane = this.#ready.shift() as Lane<T>
      if (this.#ready.size === this.#hungryBelow() - 1) this.#onHungry()
      this.#underWay += 1
      void this.#runNext(lane)
    }
  }

  async #runNext(lane: Lane<T>): Promise<void> {
    let hasSlot = true
    const { phase } = this.#slots
    const giveSlot = (): void => {
      if (!hasSlot) return
      hasSlot = false
      this.#slots.give(phase)
    }
    await this.#run(lane.tasks.shift() as T, giveSlot)
    this.#underWay -= 1
    if (lane.tasks.size > 0) this.#ready.push(lane)
    else this.#lanes.delete(lane.name)
    giveSlot()
    this.pump()
  }
}

interface Lane<T> {
  readonly name: string
  readonly tasks: Fifo<T>
}
