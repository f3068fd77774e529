/** What sends a message to a queue later than SQS itself can. `Schedules` of `@eddy/aws/scheduler` is one. */
export interface LongDelays {
  /** Longest text, in bytes of UTF-8. */
  readonly maxTextBytes: number
  /**
   * Sends the text some time before `dueAtMs`, at most two minutes: whoever receives it early waits. A second one of this
   * name is taken for the first.
   */
  send(message: LongDelayedMessage): Promise<LongDelayOutcome>
  /** Takes back what is not sent yet and has a name that begins so. @returns how many */
  cancel(namePrefix: string): Promise<number>
  /** Not sent yet, of names that begin so; at most 1,000 are counted, as they were within the last half minute. */
  count(namePrefix: string): Promise<number>
}

export interface LongDelayedMessage {
  /** 1 to 64 characters of `a-zA-Z0-9_-`. */
  readonly name: string
  /** Epoch milliseconds. */
  readonly dueAtMs: number
  readonly queueArn: string
  readonly text: string
  /** In a FIFO queue. */
  readonly messageGroupId?: string
}

export type LongDelayOutcome =
  | { readonly ok: true }
  | { readonly ok: false; readonly retryable: boolean; readonly message: string }
