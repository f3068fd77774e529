import { EddyError } from './eddy-error.ts'

export class QueueNotFoundError extends EddyError {
  override readonly code = 'EDDY_QUEUE_NOT_FOUND'
  override readonly retryable = false

  constructor(queue: string) {
    super(
      `queue "${queue}" does not exist. List them with: eddy queues list; the application file defines them: queue("${queue}")`,
      { queue },
    )
  }
}
