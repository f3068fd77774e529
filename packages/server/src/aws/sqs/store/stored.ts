/** A queue, as a table item. */
export type StoredQueue = {
  /** Unique for ever: a queue of the same name that comes later has another one. */
  readonly id: string
  readonly name: string
  readonly fifo: boolean
  readonly createdAtMs: number
  readonly modifiedAtMs: number
  /** Those that were set, as the client wrote them. */
  readonly attributes: { readonly [name: string]: string }
  readonly tags: { readonly [key: string]: string }
  /** Messages before this one are gone, though they may still be stored. */
  readonly purgedBelow: number
  readonly purgedAtMs: number | undefined
}

/** A message but for its content. Absent members: as in a message that was never received or moved. */
export type StoredMessage = {
  readonly messageId: string
  readonly sentAtMs: number
  /** Absent in a FIFO queue until it is received: the queue's delay counts, as it is then. */
  readonly visibleAtMs?: number | undefined
  readonly group?: string | undefined
  readonly deduplicationId?: string | undefined
  readonly receiveCount?: number | undefined
  readonly firstReceivedAtMs?: number | undefined
  readonly receivedAtMs?: number | undefined
  readonly earlierReceives?: number | undefined
  readonly sourceArn?: string | undefined
  readonly movedFrom?: string | undefined
  /** Where its content lies, if not under its own queue and sequence. */
  readonly contentQueue?: string | undefined
  readonly contentSequence?: number | undefined
}

export type StoredAttribute = {
  readonly name: string
  readonly type: string
  readonly value: string | Uint8Array
}

/** Written once, with the message. */
export type StoredContent = {
  readonly body: string
  readonly bodyMd5: string
  readonly senderId: string
  readonly attributes: readonly StoredAttribute[]
  readonly traceHeader: StoredAttribute | undefined
}

export type StoredDeduplication = {
  readonly messageId: string
  readonly sequence: number
  readonly untilMs: number
}

export type MoveTaskStatus = 'RUNNING' | 'COMPLETED' | 'CANCELLED' | 'FAILED'

/** A StartMessageMoveTask and how far it has come. */
export type StoredMoveTask = {
  readonly handle: string
  readonly sourceQueueId: string
  readonly sourceArn: string
  readonly destinationArn: string | undefined
  readonly maxPerSecond: number | undefined
  readonly status: MoveTaskStatus
  /** Only messages before this one: those that were there at the start. */
  readonly below: number
  readonly moved: number
  readonly toMove: number
  readonly startedAtMs: number
  readonly failureReason: string | undefined
}
