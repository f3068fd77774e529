export interface MsRange {
  readonly minMs: number
  readonly maxMs: number
}

/** Faults by rate, 0 (never) to 1 (always). Each is one that a port's promises leave room for. */
export interface FaultRates {
  /** An entry is not stored and says so: `throttled` or `internal`, retryable. */
  readonly appendEntryFailed: number
  /** An entry is stored, but its result says `internal`, retryable. */
  readonly appendEntryAckLost: number
  /** The call rejects with a StorageError; each entry is stored or not. */
  readonly appendRejected: number
  /** A message is not accepted and says so. */
  readonly sendFailed: number
  /** A message is accepted, but its result says it was not. */
  readonly sendAckLost: number
  /** The call rejects; each message is accepted or not. */
  readonly sendRejected: number
  /** `ack` or `delay` rejects, done or not. */
  readonly ackRejected: number
  /** `ack` resolves, but the message stays and comes again. */
  readonly ackForgotten: number
  /** A write to the table or the blobs rejects, done or not. */
  readonly writeRejected: number
  /** A read of any port rejects. */
  readonly readRejected: number
  /** A message that is in flight is delivered to another receiver as well. */
  readonly duplicateDelivery: number
  /** Due messages are delivered in any order, some of them left for later. */
  readonly overtakingDelivery: number
  /** A message becomes due later than asked for, by `lateDeliveryMs`. Never earlier (I5). */
  readonly lateDelivery: number
  /** A receive answers empty though messages are due. */
  readonly emptyReceive: number
  /** A visibility timeout passes early; the receipt is void then. */
  readonly earlyVisibilityExpiry: number
  /** A read of the log answers empty though there are records. */
  readonly emptyRead: number
  /** A read of the log returns fewer records than there is room for. */
  readonly shortRead: number
  /** A page of a query is short, even empty, and has a next one. */
  readonly shortPage: number
  /** A write shows in index queries later, by `indexLagMs`. */
  readonly indexLag: number
}

/** What becomes of a write that is under way at a crash; the rest of the shares never takes effect. */
export interface CrashPlan {
  /** Took effect before the crash, though nobody learned of it. */
  readonly tookEffectShare: number
  /** Takes effect after the next boot: the former owner's write was still on its way. */
  readonly lateShare: number
  /** Later than the boot by this. */
  readonly lateMs: MsRange
  /** Of one crash. Further ones are lost. */
  readonly maxLateWrites: number
}

export interface FaultPlan extends FaultRates {
  /** From the call to its effect. */
  readonly callMs: MsRange
  /** From its effect to the answer. */
  readonly answerMs: MsRange
  /** Of the writes that reject, the share that took effect all the same. */
  readonly rejectedTookEffectShare: number
  readonly lateDeliveryMs: MsRange
  readonly indexLagMs: MsRange
  readonly crash: CrashPlan
}

const AT_ONCE: MsRange = { minMs: 0, maxMs: 0 }

/** No fault at all, and every call answers at once: what a reliable engine does. */
export const quietFaults: FaultPlan = {
  appendEntryFailed: 0,
  appendEntryAckLost: 0,
  appendRejected: 0,
  sendFailed: 0,
  sendAckLost: 0,
  sendRejected: 0,
  ackRejected: 0,
  ackForgotten: 0,
  writeRejected: 0,
  readRejected: 0,
  duplicateDelivery: 0,
  overtakingDelivery: 0,
  lateDelivery: 0,
  emptyReceive: 0,
  earlyVisibilityExpiry: 0,
  emptyRead: 0,
  shortRead: 0,
  shortPage: 0,
  indexLag: 0,
  callMs: AT_ONCE,
  answerMs: AT_ONCE,
  rejectedTookEffectShare: 0.5,
  lateDeliveryMs: { minMs: 1, maxMs: 2_000 },
  indexLagMs: { minMs: 1, maxMs: 500 },
  crash: { tookEffectShare: 0.5, lateShare: 0, lateMs: { minMs: 0, maxMs: 50 }, maxLateWrites: 0 },
}

/** Every fault now and then, latencies that let calls overtake each other, and one late write a crash. */
export const roughFaults: FaultPlan = {
  appendEntryFailed: 0.03,
  appendEntryAckLost: 0.02,
  appendRejected: 0.02,
  sendFailed: 0.03,
  sendAckLost: 0.02,
  sendRejected: 0.02,
  ackRejected: 0.03,
  ackForgotten: 0.02,
  writeRejected: 0.03,
  readRejected: 0.02,
  duplicateDelivery: 0.1,
  overtakingDelivery: 0.1,
  lateDelivery: 0.1,
  emptyReceive: 0.05,
  earlyVisibilityExpiry: 0.03,
  emptyRead: 0.05,
  shortRead: 0.1,
  shortPage: 0.1,
  indexLag: 0.2,
  callMs: { minMs: 0, maxMs: 8 },
  answerMs: { minMs: 0, maxMs: 8 },
  rejectedTookEffectShare: 0.5,
  lateDeliveryMs: { minMs: 1, maxMs: 500 },
  indexLagMs: { minMs: 1, maxMs: 100 },
  crash: { tookEffectShare: 0.4, lateShare: 0.3, lateMs: { minMs: 0, maxMs: 50 }, maxLateWrites: 1 },
}
