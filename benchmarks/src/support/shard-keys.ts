import { md5Hex } from '@eddy/embedded'

/** Partition keys by the shard that they fall into, `perShard` for each of `shards` equal shards (at most 16). */
export function shardKeys(shards: number, perShard: number): string[][] {
  const byShard: string[][] = Array.from({ length: shards }, () => [])
  for (let index = 0; byShard.some((keys) => keys.length < perShard); index += 1) {
    const key = `key-${index}`
    const shard = Math.floor((Number.parseInt(md5Hex(key).slice(0, 8), 16) / 2 ** 32) * shards)
    const keys = byShard[shard] as string[]
    if (keys.length < perShard) keys.push(key)
  }
  return byShard
}
