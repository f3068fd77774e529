import type { BatchDefinition } from '../model/batch.ts'
import type { Clock } from '../ports/clock.ts'
import { Fifo } from '../runtime/fifo.ts'
import type { Slots } from './slots.ts'
import type { TaskLanes } from './task-lanes.ts'

interface Lane<T> {
  readonly name: string
  readonly tasks: Fifo<T>
  /** Of the tasks that wait. */
  bytes: number
  isReady: boolean
  /** On the monotonic clock: since when its tasks may be started. */
  readySinceMs: number
}

/**
 * Starts a lane's tasks, some of each ready lane in one batch.
 *
 * @param lanes - tasks of each lane, in order
 * @param giveSlot - to be called when the handler is done: what follows needs no slot
 * @returns for each lane a promise that does not reject: its tasks are done but for these, which are to be started
 * again, before everything else of the lane
 */
export type RunBatch<T> = (
  lanes: readonly (readonly T[])[],
  giveSlot: () => void,
) => readonly Promise<readonly T[]>[]

export interface BatchLanesOptions<T> {
  readonly limits: Pick<BatchDefinition, 'maxEvents' | 'maxWaitMs' | 'maxBytes'>
  readonly slots: Slots
  readonly clock: Clock
  readonly isPaused: () => boolean
  readonly bytesOf: (task: T) => number
  readonly run: RunBatch<T>
  /** Tasks under way at which no batch is begun. */
  readonly maxUnderWay: () => number
}

/**
 * Runs tasks of many lanes in batches.
 *
 * - L1 A lane is in one batch at most, with tasks that follow each other, in order (I3).
 * - L2 Lanes take turns: a batch takes one task of each ready lane, then a second one, until it is full; a lane that
 *   has had its turn queues behind the others (fairness).
 * - L3 A batch has one slot, given back as soon as its handler is done; each of its lanes goes on when its own tasks
 *   are done (I4).
 * - L4 At `maxUnderWay` tasks no batch is begun (I6).
 * - L5 A batch that is not full waits until its first lane has been ready for `maxWaitMs`, and no longer.
 *
 * Bounded by its callers, who stop adding at their own limits (I6).
 */
export class BatchLanes<T> implements TaskLanes<T> {
  readonly #options: BatchLanesOptions<T>
  readonly #lanes = new Map<string, Lane<T>>()
  readonly #ready = new Fifo<Lane<T>>()
  readonly #closed = new AbortController()
  /** Of the ready lanes. */
  #readyTasks = 0
  #readyBytes = 0
  #underWay = 0
  #isWaiting = false
  #isPumping = false
  #hungryBelow: () => number = () => 0
  #onHungry: () => void = () => {}

  constructor(options: BatchLanesOptions<T>) {
    this.#options = options
    options.slots.onFree(() => this.pump())
  }

  get ready(): number {
    return this.#ready.size
  }

  get size(): number {
    return this.#lanes.size
  }

  onHungry(below: () => number, listener: () => void): void {
    this.#hungryBelow = below
    this.#onHungry = listener
  }

  add(laneName: string, task: T): void {
    const bytes = this.#options.bytesOf(task)
    const known = this.#lanes.get(laneName)
    const lane: Lane<T> = known ?? {
      name: laneName,
      tasks: new Fifo<T>(),
      bytes: 0,
      isReady: false,
      readySinceMs: 0,
    }
    lane.tasks.push(task)
    lane.bytes += bytes
    if (lane.isReady) this.#count(1, bytes)
    if (known === undefined) {
      this.#lanes.set(laneName, lane)
      this.#makeReady(lane)
    }
    if (lane.isReady) this.#pumpSoon()
  }

  close(): void {
    this.#closed.abort()
  }

  pump(): void {
    const { slots, isPaused, maxUnderWay } = this.#options
    while (
      !this.#closed.signal.aborted &&
      this.#underWay < maxUnderWay() &&
      this.#ready.size > 0 &&
      !isPaused() &&
      this.#isDue() &&
      slots.takeLive()
    )
      this.#start()
  }

  /** What is added in one go is there in one go: the first of it does not leave alone. */
  #pumpSoon(): void {
    if (this.#isPumping) return
    this.#isPumping = true
    void Promise.resolve().then(() => {
      this.#isPumping = false
      this.pump()
    })
  }

  /** False: there is time for the batch to fill; it is looked at again when that is up. */
  #isDue(): boolean {
    const { limits, clock } = this.#options
    if (limits.maxWaitMs === 0) return true
    if (this.#readyTasks >= limits.maxEvents || this.#readyBytes >= limits.maxBytes) return true
    const first = this.#ready.peek() as Lane<T>
    const leftMs = first.readySinceMs + limits.maxWaitMs - clock.monotonicMs()
    if (leftMs <= 0) return true
    if (!this.#isWaiting) void this.#waitForMore(leftMs)
    return false
  }

  async #waitForMore(ms: number): Promise<void> {
    this.#isWaiting = true
    await this.#options.clock.sleep(ms, this.#closed.signal)
    this.#isWaiting = false
    this.pump()
  }

  #start(): void {
    const { slots, run } = this.#options
    const { phase } = slots
    const turns = this.#takeBatch()
    let hasSlot = true
    const giveSlot = (): void => {
      if (!hasSlot) return
      hasSlot = false
      slots.give(phase)
    }
    const ends = run(
      turns.map(({ tasks }) => tasks),
      giveSlot,
    )
    const done = turns.map(async ({ lane, tasks }, index) => {
      const again = await (ends[index] as Promise<readonly T[]>)
      this.#laneDone(lane, tasks.length, again)
    })
    void Promise.all(done).then(giveSlot)
  }

  #takeBatch(): readonly Turn<T>[] {
    const { limits, bytesOf } = this.#options
    const turns: Turn<T>[] = []
    let events = 0
    let bytes = 0
    /** False: the batch is full. */
    const take = ({ lane, tasks }: Turn<T>): boolean => {
      const next = lane.tasks.peek() as T
      const more = bytesOf(next)
      if (events === limits.maxEvents || (events > 0 && bytes + more > limits.maxBytes)) return false
      lane.tasks.shift()
      lane.bytes -= more
      tasks.push(next)
      events += 1
      bytes += more
      return true
    }
    for (let lane = this.#ready.peek(); lane !== undefined; lane = this.#ready.peek()) {
      const turn = { lane, tasks: [] }
      const [waiting, waitingBytes] = [lane.tasks.size, lane.bytes]
      if (!take(turn)) break
      this.#ready.shift()
      if (this.#ready.size === this.#hungryBelow() - 1) this.#onHungry()
      lane.isReady = false
      this.#count(-waiting, -waitingBytes)
      turns.push(turn)
    }
    let open = turns.filter(({ lane }) => lane.tasks.size > 0)
    while (open.length > 0 && open.every(take)) open = open.filter(({ lane }) => lane.tasks.size > 0)
    this.#underWay += events
    return turns
  }

  #laneDone(lane: Lane<T>, tasks: number, again: readonly T[]): void {
    this.#underWay -= tasks
    lane.tasks.putFirst(again)
    for (const task of again) lane.bytes += this.#options.bytesOf(task)
    if (lane.tasks.size > 0) this.#makeReady(lane)
    else this.#lanes.delete(lane.name)
    this.#pumpSoon()
  }

  #makeReady(lane: Lane<T>): void {
    const { limits, clock } = this.#options
    lane.isReady = true
    if (limits.maxWaitMs > 0) lane.readySinceMs = clock.monotonicMs()
    this.#ready.push(lane)
    this.#count(lane.tasks.size, lane.bytes)
  }

  #count(tasks: number, bytes: number): void {
    this.#readyTasks += tasks
    this.#readyBytes += bytes
  }
}

/** What one lane adds to a batch. */
interface Turn<T> {
  readonly lane: Lane<T>
  readonly tasks: T[]
}
