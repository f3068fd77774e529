import type { Owner } from '../lease/owner.ts'
import type { Logger } from '../observe/logger.ts'
import type { RunningOperations } from '../operate/create-operations.ts'
import type { Clock } from '../ports/clock.ts'

const LOOK_EVERY_MS = 10_000

export interface JobWatchOptions {
  readonly owner: Owner
  readonly operations: Pick<RunningOperations, 'completeEdits' | 'resumeOrphans'>
  readonly clock: Clock
  readonly logger: Logger
  readonly stopping: AbortSignal
}

/** Of several processes, one finishes the edits and goes on with the redrives of those that died. */
export async function watchJobs(options: JobWatchOptions): Promise<void> {
  const { owner, operations, clock, logger, stopping } = options
  if (!owner.isShared) return
  while (!stopping.aborted) {
    await clock.sleep(LOOK_EVERY_MS, stopping)
    if (stopping.aborted || !owner.leads('jobs')) continue
    try {
      await operations.completeEdits()
      await operations.resumeOrphans()
    } catch (error) {
      logger.warn(
        { reason: String(error) },
        'jobs that others left were not looked for and are in the next round',
      )
    }
  }
}
