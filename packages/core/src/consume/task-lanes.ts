/** Tasks that wait in lanes, and are started from there: one at a time (`Lanes`) or several at once (`BatchLanes`). */
export interface TaskLanes<T> {
  /** Lanes with a task that may start once there is a slot. */
  readonly ready: number
  /** Lanes with a task waiting or under way. */
  readonly size: number
  add(laneName: string, task: T): void
  /** Called when lanes may soon be wanting: fewer than `below` are ready. */
  onHungry(below: () => number, listener: () => void): void
  /** Starts nothing more; what is under way goes on. Waiting tasks are dropped: they stay unresolved. */
  close(): void
  /** Starts what may be started: after a pause, or when the caller knows of new room. */
  pump(): void
}
