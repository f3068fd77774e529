import { ChangeSignal } from '../consume/change-signal.ts'
import { liveLanes } from '../consume/live-lanes.ts'
import { hasTimeLeft, type LiveTask, latestStartMs } from '../consume/live-task.ts'
import type { TaskLanes } from '../consume/task-lanes.ts'
import type { OwnedTask, TaskOwner } from '../consume/task-owner.ts'
import { Fenced } from '../runtime/fenced.ts'
import { Stopped } from '../runtime/stop-signal.ts'
import type { Invocation } from './invocation.ts'

/** One event of an invocation. */
export interface SetTask extends OwnedTask {
  readonly lane: string
  readonly task: LiveTask
  /** `done`: resolved, or in the ledger with its payload (I2). `left`: it is to come again. */
  state: 'waiting' | 'running' | 'done' | 'left'
}

/**
 * The events of one invocation on their way through the lanes of the live path.
 *
 * - T1 Once an event of a lane is left, so are all behind it (I3).
 * - T2 No handler is begun that could outlive the invocation (rule 9); what has not begun by then is left.
 * - T3 It ends before the invocation does, whatever still runs: that is left.
 */
export class TaskSet implements TaskOwner<SetTask> {
  readonly #invocation: Invocation
  readonly #lanes: TaskLanes<SetTask>
  readonly #stop: AbortController
  readonly #tasks: SetTask[] = []
  readonly #brokenLanes = new Set<string>()
  readonly #changed = new ChangeSignal()
  #open = 0
  #error: unknown

  /** @param stop - the tasks' own: aborts what only waits */
  constructor(invocation: Invocation, stop: AbortController) {
    this.#invocation = invocation
    this.#stop = stop
    const { parts } = invocation
    const { batch } = parts.definition
    // Nothing comes that a batch could wait for.
    const definition =
      batch === undefined ? parts.definition : { ...parts.definition, batch: { ...batch, maxWaitMs: 0 } }
    const isSharded = parts.policy.failure.blocks === 'shard'
    this.#lanes = liveLanes<SetTask>({ ...parts, definition }, invocation.livePath, this, !isSharded)
  }

  /** What broke the handling of an event, other than the end of the time; undefined: nothing did. */
  get error(): unknown {
    return this.#error
  }

  /** Runs all of them; resolves when each is `done` or `left`. */
  async run(tasks: readonly SetTask[]): Promise<void> {
    const { clock } = this.#invocation.parts.engine
    this.#open = tasks.length
    this.#tasks.push(...tasks)
    const over = new AbortController()
    const lastStartMs = latestStartMs(
      this.#invocation.deadlineMs,
      this.#invocation.parts.runner.longestCallMs,
    )
    const timers = [
      this.#after(clock.sleep(Math.max(0, lastStartMs - clock.monotonicMs()), over.signal), over, () =>
        this.close(),
      ),
      this.#after(
        clock.sleep(Math.max(0, this.#invocation.closesAtMs - clock.monotonicMs()), over.signal),
        over,
        () => this.#abandon(),
      ),
    ]
    for (const entry of tasks) this.#lanes.add(entry.lane, entry)
    this.#lanes.pump()
    while (this.#open > 0) await this.#changed.next()
    over.abort()
    this.#lanes.close()
    await Promise.all(timers)
  }

  /** Begins nothing more; what runs goes on. */
  close(): void {
    this.#lanes.close()
    this.#stop.abort()
    for (const entry of this.#tasks) if (entry.state === 'waiting') this.#leave(entry)
  }

  begin(entry: SetTask): boolean {
    if (entry.state !== 'waiting') return false
    const { engine, runner } = this.#invocation.parts
    const mayBegin =
      !this.#brokenLanes.has(entry.lane) && hasTimeLeft(entry.task, engine.clock, runner.longestCallMs)
    if (!mayBegin) {
      this.#leave(entry)
      return false
    }
    entry.state = 'running'
    return true
  }

  done(entry: SetTask): void {
    if (entry.state !== 'running') return
    entry.state = 'done'
    this.#ended()
  }

  failed(entry: SetTask, error: unknown): void {
    this.#leave(entry)
    if (error instanceof Stopped) return
    this.#error ??= error
    // A later invocation has the same events: nothing is begun beside it.
    if (error instanceof Fenced) this.close()
  }

  putBack(entry: SetTask): void {
    if (entry.state !== 'running') return
    entry.state = 'waiting'
    if (this.#stop.signal.aborted) this.#leave(entry)
  }

  #leave(entry: SetTask): void {
    if (entry.state === 'left' || entry.state === 'done') return
    entry.state = 'left'
    this.#brokenLanes.add(entry.lane)
    this.#ended()
  }

  #abandon(): void {
    this.close()
    for (const entry of this.#tasks) this.#leave(entry)
  }

  async #after(time: Promise<void>, over: AbortController, then: () => void): Promise<void> {
    await time
    if (!over.signal.aborted) then()
  }

  #ended(): void {
    this.#open -= 1
    this.#changed.notify()
  }
}
