import type { SimWorld } from '../sim/sim-world.ts'
import type { RareEventCounts } from './rare-events.ts'
import type { StoredView } from './stored-view.ts'

/** What a crash met, told by what is stored right after it. */
export function seeCrash(view: StoredView, rare: RareEventCounts, blocks: string): void {
  const positions = new Set(view.ledger().map((item) => `${item.id.split(':')[1]}/${item.position}`))
  for (const hold of view.holds()) {
    if (hold.state !== 'held' || positions.has(`${hold.laneId}/${hold.tail}`)) continue
    rare.saw(hold.lo === hold.tail ? 'crashBetweenHoldAndLedger' : 'crashInMidDiversion')
  }
  for (const { from } of view.checkpoints().values())
    if (from.at === 'at_sub_sequence_number') rare.saw('crashWithinAggregate')
  const tokens = view.queuedTokens().join('\n')
  for (const item of view.ledger()) {
    if (item.status !== 'retrying') continue
    if (item.claimedBy !== undefined) rare.saw('crashDuringRetry')
    if (blocks === 'nothing' && !tokens.includes(item.id)) rare.saw('crashBeforeToken')
    if (blocks === 'key' && item.outOfOrder !== true && !tokens.includes(`"key":"${item.key}"`))
      rare.saw('crashBeforeToken')
  }
}

/** What the faults of a run came to, and what ended in the ledger. */
export function seeOutcome(view: StoredView, rare: RareEventCounts, world: SimWorld): void {
  const { counts, budgets } = world
  rare.saw('lateWrite', counts.lateWriteArrived)
  rare.saw('duplicateDelivery', counts.duplicateDelivery)
  rare.saw('overtakingDelivery', counts.overtakingDelivery)
  rare.saw('lostAppendAck', counts.appendEntryAckLost)
  for (const { entries, reads } of budgets.throttled.list()) {
    rare.saw('throttledEvent', entries)
    rare.saw('throttledRead', reads)
  }
  rare.saw('copyStored', view.repeated('copy'))
  rare.saw('strayStored', view.repeated('stray'))
  for (const item of view.ledger()) {
    if (item.reason === 'dead-lettered with an earlier event of its key') rare.saw('keyCut')
    if (item.lastError?.type === 'HandlerCrashedError') rare.saw('crashedGivenUp')
    if (item.attempts > 0 && item.history[0]?.path === 'live' && item.history[0].error === undefined)
      rare.saw('diverted')
  }
}
