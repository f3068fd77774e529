import { describe } from './describe.ts'
import { EddyError, type ErrorDetails } from './eddy-error.ts'

export class InvalidOptionError extends EddyError {
  override readonly code = 'EDDY_INVALID_OPTION'
  override readonly retryable = false

  constructor(option: string, expected: string, received: unknown) {
    super(`${option}: expected ${expected}, received ${describe(received)}`, {
      option,
      expected,
      received: describe(received),
    })
  }
}

export class SubscriptionNotFoundError extends EddyError {
  override readonly code = 'EDDY_SUBSCRIPTION_NOT_FOUND'
  override readonly retryable = false

  constructor(subscription: string) {
    super(`subscription "${subscription}" does not exist. List them with: eddy subscriptions list`, {
      subscription,
    })
  }
}

export class FailureNotFoundError extends EddyError {
  override readonly code = 'EDDY_FAILURE_NOT_FOUND'
  override readonly retryable = false

  constructor(id: string) {
    super(`there is no failure "${id}". It may have expired; list with: eddy failures list`, { id })
  }
}

export class FailureStateError extends EddyError {
  override readonly code = 'EDDY_FAILURE_STATE'
  override readonly retryable = false

  constructor(id: string, status: string, action: string) {
    super(`failure "${id}" is ${status}: it cannot be ${action}`, { id, status, action })
  }
}

export class EditConflictError extends EddyError {
  override readonly code = 'EDDY_EDIT_CONFLICT'
  override readonly retryable = false

  constructor(id: string, problem: string) {
    super(`failure "${id}" was not edited: ${problem}. Look at it again with: eddy failures show ${id}`, {
      id,
    })
  }
}

export class PolicyConflictError extends EddyError {
  override readonly code = 'EDDY_POLICY_CONFLICT'
  override readonly retryable = false

  constructor(subscription: string, expected: number, version: number) {
    super(
      `the policy of "${subscription}" was not changed: expected version ${expected}, it is ${version} by now. Look at it again with: eddy policy show ${subscription}`,
      { subscription, expected, version },
    )
  }
}

export class SeekAmongWorkersError extends EddyError {
  override readonly code = 'EDDY_SEEK_AMONG_WORKERS'
  override readonly retryable = false

  constructor(subscription: string, others: number) {
    super(
      `"${subscription}" was not moved: ${others} other worker${others === 1 ? '' : 's'} may be reading it. Stop all workers but one, seek, and start them again`,
      { subscription, others },
    )
  }
}

export class OutOfOrderError extends EddyError {
  override readonly code = 'EDDY_OUT_OF_ORDER'
  override readonly retryable = false

  constructor(count: number) {
    super(
      `${count} of these events would be handled after later events of their key. Agree with --allow-out-of-order, or hold the key first.`,
      { count },
    )
  }
}

export class RedriveNotFoundError extends EddyError {
  override readonly code = 'EDDY_REDRIVE_NOT_FOUND'
  override readonly retryable = false

  constructor(id: string) {
    super(`there is no redrive "${id}". List them with: eddy failures redrive --list`, { id })
  }
}

export class ReadOnlyError extends EddyError {
  override readonly code = 'EDDY_READ_ONLY'
  override readonly retryable = false

  constructor(action: string) {
    super(`this server is read-only: ${action} was refused. Start it without --read-only.`, { action })
  }
}

export class UnauthorizedError extends EddyError {
  override readonly code = 'EDDY_UNAUTHORIZED'
  override readonly retryable = false

  constructor(problem: string) {
    super(`${problem}. Send the token as: Authorization: Bearer TOKEN`, {})
  }
}

export class BackupUnsupportedError extends EddyError {
  override readonly code = 'EDDY_BACKUP_UNSUPPORTED'
  override readonly retryable = false

  constructor(engine: string) {
    super(`the ${engine} engine has no backup of its own`, { engine })
  }
}

export class PublishError extends EddyError {
  override readonly code = 'EDDY_PUBLISH'
  override readonly retryable = true

  constructor(problem: string, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(`events were not appended: ${problem}`, details, options)
  }
}

export class ConnectionError extends EddyError {
  override readonly code = 'EDDY_CONNECTION'
  override readonly retryable = true

  constructor(url: string, problem: string, options?: ErrorOptions) {
    super(
      `no answer from ${url}: ${problem}. Is the server running? Start it with: eddy start`,
      { url },
      options,
    )
  }
}
