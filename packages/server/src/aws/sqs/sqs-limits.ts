/** Limits of the service that a test may want smaller, and those of this process. */
export interface SqsLimits {
  /** Messages in flight in one queue. */
  readonly inFlight: number
  /** Messages in all queues together, and deduplication ids: they are what memory is needed for. */
  readonly messages: number
  readonly queues: number
}

export const SQS_LIMITS: SqsLimits = { inFlight: 120_000, messages: 1_000_000, queues: 10_000 }
