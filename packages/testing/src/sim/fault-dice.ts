import type { Prng } from '../clock/prng.ts'
import type { FaultPlan, FaultRates, MsRange } from './fault-plan.ts'

/** What happened at crashes, counted beside the faults. */
export type CrashCount =
  | 'crash'
  | 'crashTookEffect'
  | 'crashLostWrite'
  | 'crashLateWrite'
  | 'lateWriteArrived'
  | 'lingered'

export type FaultCounts = Record<keyof FaultRates | CrashCount, number>

/** Throws the dice for faults and counts what they said. */
export class FaultDice {
  /** May be replaced at any time, for instance by `quietFaults` to let the system come to rest. */
  plan: FaultPlan
  readonly counts: FaultCounts
  readonly prng: Prng

  constructor(plan: FaultPlan, prng: Prng) {
    this.plan = plan
    this.prng = prng
    this.counts = noCounts()
  }

  /** True when the fault strikes now. */
  strikes(fault: keyof FaultRates): boolean {
    if (!this.prng.chance(this.plan[fault])) return false
    this.counts[fault] += 1
    return true
  }

  /** Whether a write that rejects took effect all the same. */
  tookEffect(): boolean {
    return this.prng.chance(this.plan.rejectedTookEffectShare)
  }

  between(range: MsRange): number {
    return this.prng.between(range)
  }
}

function noCounts(): FaultCounts {
  return {
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
    crash: 0,
    crashTookEffect: 0,
    crashLostWrite: 0,
    crashLateWrite: 0,
    lateWriteArrived: 0,
    lingered: 0,
  }
}
