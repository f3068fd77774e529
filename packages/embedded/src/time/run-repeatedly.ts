import type { Clock, Logger } from '@eddy/core'

export interface RepeatedTask {
  readonly name: string
  readonly clock: Clock
  readonly logger: Logger
  readonly signal: AbortSignal
  /** Pause after a step that found nothing more to do. */
  readonly idleMs: number
  /** Pause after a step that stopped at its bound. */
  readonly busyMs: number
  /** One bounded step; true when more is waiting. */
  step(): Promise<boolean>
}

/** Runs bounded background steps until the signal aborts. A failed step is logged and tried again later. */
export async function runRepeatedly(task: RepeatedTask): Promise<void> {
  let pauseMs = task.idleMs
  while (!task.signal.aborted) {
    await task.clock.sleep(pauseMs, task.signal)
    if (task.signal.aborted) return
    try {
      pauseMs = (await task.step()) ? task.busyMs : task.idleMs
    } catch (error) {
      if (task.signal.aborted) return
      task.logger.warn(
        { task: task.name, error: String(error) },
        'background step failed; it will be repeated',
      )
      pauseMs = task.idleMs
    }
  }
}
