/** What one server takes on at most (I6). */
export interface ServerLimits {
  /** Bytes of one request body. */
  readonly maxBodyBytes: number
  /** Bytes of all request bodies being read or handled at a time. */
  readonly maxPendingBodyBytes: number
  /** Records of one append request; no engine takes more than 500. */
  readonly maxRecords: number
  /** Bytes of records in one read answer. */
  readonly maxReadBytes: number
  /** Server-sent event streams open at a time. */
  readonly maxEventStreams: number
  /** Between two heartbeat comments of an event stream. */
  readonly heartbeatMs: number
  /** Heartbeats in a row that a client may leave unread before its event stream is ended. */
  readonly maxStalledHeartbeats: number
}

const MIB = 1024 * 1024

export const DEFAULT_LIMITS: ServerLimits = {
  maxBodyBytes: 16 * MIB,
  maxPendingBodyBytes: 256 * MIB,
  maxRecords: 500,
  maxReadBytes: 8 * MIB,
  maxEventStreams: 100,
  heartbeatMs: 15_000,
  maxStalledHeartbeats: 4,
}
