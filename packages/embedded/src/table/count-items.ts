import { afterPrefix } from '../store/key-bytes.ts'
import type { TableMaps } from './embedded-table.ts'
import { readItemIndex } from './item-codec.ts'
import { expiryKey, itemOfExpiryKey, partitionPrefix } from './table-keys.ts'

/** Counts the keys in LMDB, without values; takes off the few that expired and were not removed yet. */
export function countItems(maps: TableMaps, partition: string, byIndex: boolean, nowMs: number): number {
  const prefix = partitionPrefix('partition', partition)
  const map = byIndex ? maps.index : maps.items
  return (
    map.getKeysCount({ start: prefix, end: afterPrefix(prefix) }) -
    countExpired(maps, partition, byIndex, nowMs)
  )
}

function countExpired(maps: TableMaps, partition: string, byIndex: boolean, nowMs: number): number {
  const prefix = partitionPrefix('partition', partition)
  let expired = 0
  for (const bytes of maps.expiry.getKeys({ end: expiryKey(nowMs, Buffer.alloc(0)) })) {
    const key = itemOfExpiryKey(Buffer.from(bytes))
    if (byIndex) {
      const stored = maps.items.getBinary(key)
      if (stored !== undefined && readItemIndex(stored)?.partition === partition) expired++
    } else if (key.subarray(0, prefix.length).equals(prefix)) {
      expired++
    }
  }
  return expired
}
