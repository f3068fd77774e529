import { EddyError } from './eddy-error.ts'

export class HandlerTimeoutError extends EddyError {
  override readonly code = 'EDDY_HANDLER_TIMEOUT'
  override readonly retryable = true

  constructor(timeoutMs: number) {
    super(`the handler did not finish within ${timeoutMs} ms`, { timeoutMs })
  }
}

export class HandlerCrashedError extends EddyError {
  override readonly code = 'EDDY_HANDLER_CRASHED'
  override readonly retryable = false

  constructor(crashes: number) {
    super(`the process ended ${crashes} times while this event was being handled`, { crashes })
  }
}

export class HandlerThreadError extends EddyError {
  override readonly code = 'EDDY_HANDLER_THREAD'
  override readonly retryable = true

  constructor(reason: Error) {
    super(
      `the thread ended while this event was being handled: ${reason.name}: ${reason.message}`,
      {},
      { cause: reason },
    )
  }
}

export class UndecodableEventError extends EddyError {
  override readonly code = 'EDDY_UNDECODABLE_EVENT'
  override readonly retryable = false

  constructor(problem: string) {
    super(`the record is not a CloudEvents JSON event: ${problem}`, {})
  }
}

export class SchemaMismatchError extends EddyError {
  override readonly code = 'EDDY_SCHEMA_MISMATCH'
  override readonly retryable = false

  constructor(problem: string) {
    super(`the event does not match the schema: ${problem}`, {})
  }
}

export class StepLimitError extends EddyError {
  override readonly code = 'EDDY_STEP_LIMIT'
  override readonly retryable = false

  constructor(problem: string) {
    super(`ctx.step: ${problem}`, {})
  }
}

export class BatchResultError extends EddyError {
  override readonly code = 'EDDY_BATCH_RESULT'
  override readonly retryable = false

  constructor(problem: string) {
    super(
      `handleBatch must return an array of outcomes, succeeded(item) or failed(item, error), for the items it was given: ${problem}`,
      {},
    )
  }
}

export class BatchItemOmittedError extends EddyError {
  override readonly code = 'EDDY_BATCH_ITEM_OMITTED'
  override readonly retryable = false

  constructor(omitted: number, items: number) {
    super(
      `handleBatch returned no outcome for this item (${omitted} of ${items} have none), so it counts as failed: return succeeded(item) or failed(item, error) for each`,
      { omitted, items },
    )
  }
}
