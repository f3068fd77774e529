/** `delayed`: not yet due. `ready`: may be received. `in-flight`: received, neither deleted nor visible again. */
export type MessagePhase = 'delayed' | 'ready' | 'in-flight'

/** What of a message stays in memory: all but its content. Times are epoch milliseconds. */
export interface Message {
  /** Place in its queue; unique there for ever. */
  readonly sequence: number
  readonly messageId: string
  /** When it came into the queue, or, of one that a standard queue gave up on, into that queue. */
  readonly sentAtMs: number
  readonly group: string | undefined
  readonly deduplicationId: string | undefined
  /** Where its content lies, if it was sent to another queue. */
  readonly content: ContentPlace
  /** ARN of the queue that gave up on it. */
  readonly sourceArn: string | undefined
  /** Receives in earlier queues: they are shown, but count for no redrive policy. */
  readonly earlierReceives: number
  /** Where it was before it was moved, to notice a move that was done by half at a crash. */
  readonly movedFrom: string | undefined
  phase: MessagePhase
  /** Hidden until then, unless ready. */
  visibleAtMs: number
  /** All receives, earlier queues' too. */
  receiveCount: number
  firstReceivedAtMs: number | undefined
  /** The last receive: twelve hours after it a receipt is void. */
  receivedAtMs: number | undefined
}

export interface ContentPlace {
  readonly queueId: string
  readonly sequence: number
}
