export interface AwsErrorOptions {
  /** HTTP status; default 400. */
  readonly status?: number
  /** The code of the query protocol, where it differs from the name, such as `AWS.SimpleQueueService.NonExistentQueue`. */
  readonly queryCode?: string
  /** Message of the query protocol, where it differs. */
  readonly queryMessage?: string
  /** HTTP status of the query protocol, where it differs. */
  readonly queryStatus?: number
  /** Other members of the error's shape. */
  readonly members?: Readonly<Record<string, string>>
}

/** An answer that is no success, as the service gives it: name, message and status are its own. */
export class AwsError extends Error {
  /** As in the service model: `ResourceNotFoundException`. */
  readonly code: string
  readonly status: number
  readonly queryCode: string
  readonly queryMessage: string
  readonly queryStatus: number
  readonly members: Readonly<Record<string, string>>

  constructor(code: string, message: string, options: AwsErrorOptions = {}) {
    super(message)
    this.name = 'AwsError'
    this.code = code
    this.status = options.status ?? 400
    this.queryCode = options.queryCode ?? code
    this.queryMessage = options.queryMessage ?? message
    this.queryStatus = options.queryStatus ?? this.status
    this.members = options.members ?? {}
  }
}
