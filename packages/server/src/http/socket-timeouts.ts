/** How long a client may take, however slowly it writes. */
export interface SocketTimeouts {
  /** To send its headers; default 15,000. */
  readonly headersMs: number
  /** To send headers and body; default 120,000. */
  readonly requestMs: number
  /** Between two requests of a connection; default 65,000. */
  readonly keepAliveMs: number
  /** How often the first two are looked at; default 5,000. */
  readonly checkMs: number
}

export const DEFAULT_TIMEOUTS: SocketTimeouts = {
  headersMs: 15_000,
  requestMs: 120_000,
  keepAliveMs: 65_000,
  checkMs: 5_000,
}
