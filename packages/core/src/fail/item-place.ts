import type { LedgerItem } from '../model/ledger-item.ts'
import { type HoldEntry, isWithin } from './hold.ts'
import type { Holds } from './holds.ts'
import { laneName, shardLaneName } from './lane.ts'
import { refOf } from './ledger.ts'

/** The hold that an item waits under. */
export interface ItemPlace {
  readonly kind: 'key' | 'shard'
  readonly name: string
  readonly entry: HoldEntry
}

/**
 * What an item waits under, if anything. The item and the holds say so, never the policy: it may have been another one
 * when the item came to wait.
 *
 * @param fresh - read the hold, for whoever is about to write
 */
export async function placeOf(
  holds: Holds,
  item: LedgerItem,
  { fresh }: { readonly fresh: boolean },
): Promise<ItemPlace | undefined> {
  const key = laneName(item)
  const ofKey = await holds.find(key, { fresh, item })
  if (ofKey !== undefined && isWithin(ofKey, item)) return { kind: 'key', name: key, entry: ofKey }
  const shard = shardLaneName(item.shardId)
  const ofShard = await holds.find(shard, { fresh, item })
  // A shard's hold is one event's: of others at its positions there are none in this shard.
  if (ofShard !== undefined && isWithin(ofShard, item) && ofShard.hold.laneId === refOf(item).laneId)
    return { kind: 'shard', name: shard, entry: ofShard }
  return undefined
}
