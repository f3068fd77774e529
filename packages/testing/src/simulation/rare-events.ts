/** What a run must now and then bring about, or its checks prove little. */
export const RARE_EVENTS = [
  /** A release was refused, since the lane's tail had moved. */
  'racedRelease',
  /** The process died with a tail raised and its event not yet in the ledger. */
  'crashInMidDiversion',
  /** The process died with a hold written and its event not yet in the ledger. */
  'crashBetweenHoldAndLedger',
  /** The process died with an event in the ledger and no token for it. */
  'crashBeforeToken',
  /** The process died while an attempt at a ledger item was under way. */
  'crashDuringRetry',
  /** An attempt's result was refused, since somebody else had written. */
  'zombieResult',
  /** A handler came back after its time was up. */
  'lateHandler',
  /** A write of a dead process arrived after the next one had started. */
  'lateWrite',
  /** A process that was taken for dead went on beside the next one. */
  'zombie',
  'duplicateDelivery',
  'overtakingDelivery',
  'lostAppendAck',
  /** The stream's limits refused an event, or a read. */
  'throttledEvent',
  'throttledRead',
  /** A start found resolved events above its checkpoint. */
  'restoredHoles',
  /** A shard was split or merged while a key was held. */
  'reshardWhileHeld',
  /** A key's waiting tail was dead-lettered with it. */
  'keyCut',
  'parked',
  /** An event that killed the process again and again was given up. */
  'crashedGivenUp',
  /** An event waited behind another and was handled after it. */
  'diverted',
  'redrivenInPlace',
  'redrivenOutOfOrder',
  'edited',
  /** People decided about one failure at the same time. */
  'decidedAtOnce',
  /** A policy was changed while it counted. */
  'policyChanged',
  /** `blocks` was changed while a key was held. */
  'blocksChangedWhileHeld',
  /** `blocks` was changed while a shard was held. */
  'shardLetGo',
  /** The process died while a redrive was under way. */
  'crashDuringRedrive',
  /** An event stood in a batch behind one of its lane that failed, and had to come again. */
  'discounted',
  /** What a handler said of its batch could not be relied on, or it said nothing. */
  'batchFailed',
  /** The handler failed as a whole, and was left alone. */
  'breakerOpened',
  /** The process died with its checkpoint between two records of an aggregate. */
  'crashWithinAggregate',
  /** A second sending was stored, alone or in an aggregate. */
  'copyStored',
  /** An aggregate was stored where not all of it belongs. */
  'strayStored',
] as const

export type RareEvent = (typeof RARE_EVENTS)[number]

export class RareEventCounts {
  readonly counts: Record<RareEvent, number>

  constructor() {
    this.counts = Object.fromEntries(RARE_EVENTS.map((name) => [name, 0])) as Record<RareEvent, number>
  }

  saw(name: RareEvent, times = 1): void {
    this.counts[name] += times
  }

  add(other: Readonly<Record<RareEvent, number>>): void {
    for (const name of RARE_EVENTS) this.counts[name] += other[name]
  }

  /** Those seen fewer than `least` times. */
  missing(least: number): readonly RareEvent[] {
    return RARE_EVENTS.filter((name) => this.counts[name] < least)
  }
}
