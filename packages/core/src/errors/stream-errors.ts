import { EddyError, type ErrorDetails, isEddyError } from './eddy-error.ts'

export class StreamNotFoundError extends EddyError {
  override readonly code = 'EDDY_STREAM_NOT_FOUND'
  override readonly retryable = false

  /** @param nextStep - default: the command that creates it */
  constructor(stream: string, nextStep: string = `Create it with: eddy streams create ${stream}`) {
    super(`stream "${stream}" does not exist. ${nextStep}`, { stream })
  }
}

export class StreamExistsError extends EddyError {
  override readonly code = 'EDDY_STREAM_EXISTS'
  override readonly retryable = false

  constructor(stream: string) {
    super(`stream "${stream}" already exists. Choose another name, or delete it first.`, { stream })
  }
}

export class ShardNotFoundError extends EddyError {
  override readonly code = 'EDDY_SHARD_NOT_FOUND'
  override readonly retryable = false

  constructor(stream: string, shardId: string) {
    super(`stream "${stream}" has no shard "${shardId}". List them with: eddy streams show ${stream}`, {
      stream,
      shardId,
    })
  }
}

export class ShardStateError extends EddyError {
  override readonly code = 'EDDY_SHARD_STATE'
  override readonly retryable = false

  constructor(stream: string, shardId: string, problem: string) {
    super(`shard "${shardId}" of stream "${stream}": ${problem}`, { stream, shardId })
  }
}

export class RecordTooLargeError extends EddyError {
  override readonly code = 'EDDY_RECORD_TOO_LARGE'
  override readonly retryable = false

  constructor(bytes: number, limitBytes: number) {
    super(
      `a record of ${bytes} bytes is over the limit of ${limitBytes} bytes. Store the body elsewhere and send a reference.`,
      { bytes, limitBytes },
    )
  }
}

export class InvalidEventError extends EddyError {
  override readonly code = 'EDDY_INVALID_EVENT'
  override readonly retryable = false

  constructor(problem: string, details: ErrorDetails = {}) {
    super(`invalid event: ${problem}`, details)
  }
}

export class StreamInUseError extends EddyError {
  override readonly code = 'EDDY_STREAM_IN_USE'
  override readonly retryable = false

  constructor(stream: string, subscriptions: readonly string[]) {
    super(
      `stream "${stream}" is read by ${subscriptions.map((name) => `"${name}"`).join(', ')}: the application would create it again. Take the subscription out of the application first.`,
      { stream, subscriptions: subscriptions.join(', ') },
    )
  }
}

/** A stream's service places records without regard to their keys: what rests on their order cannot be promised. */
export class KeysIgnoredError extends EddyError {
  override readonly code = 'EDDY_KEYS_IGNORED'
  override readonly retryable = false

  /** @param who - `subscription "billing" with blocks: 'key'` */
  constructor(who: string, stream: string) {
    super(
      `${who} needs the order of a key, which stream "${stream}" does not keep: its RecordDistributionStrategy is AUTO. Set that to USER_PARTITION_KEY and start again, or choose blocks: 'nothing'.`,
      { who, stream },
    )
  }
}

/** A stream's limits allow no more for now. */
export class ThrottledError extends EddyError {
  override readonly code = 'EDDY_THROTTLED'
  override readonly retryable = true
  /** When the same call may be allowed, if nobody else uses the shard meanwhile. */
  readonly retryAfterMs: number

  constructor(what: string, retryAfterMs: number) {
    super(`${what} is over the limits of its stream. Try again in ${retryAfterMs} ms, or use more shards.`, {
      retryAfterMs,
    })
    this.retryAfterMs = retryAfterMs
  }
}

/** How long a throttled call is to wait, of this process's or a server's error; undefined for any other error. */
export function retryAfterMsOf(error: unknown): number | undefined {
  if (!isEddyError(error) || error.code !== 'EDDY_THROTTLED') return undefined
  const { retryAfterMs } = error.details
  return typeof retryAfterMs === 'number' ? retryAfterMs : undefined
}
