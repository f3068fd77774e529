import type { Engine } from '../ports/engine.ts'

/** What orders events: a partition key, with the explicit hash key where one placed the record elsewhere. */
export interface Lane {
  readonly key: string
  readonly explicitHashKey?: string
}

/** The lane alone, of something that has one. */
export function laneOf({ key, explicitHashKey }: Lane): Lane {
  return { key, ...(explicitHashKey !== undefined && { explicitHashKey }) }
}

/** A lane as a map key. Cheap: this is what the live path uses for every event. */
export function laneName(lane: Lane): string {
  return lane.explicitHashKey === undefined ? lane.key : apartFromKeys(`${lane.explicitHashKey}\n${lane.key}`)
}

/** The lane of a whole shard (`blocks: 'shard'`). */
export function shardLaneName(shardId: string): string {
  return apartFromKeys(shardId)
}

/** The shard of a name that `shardLaneName` made; undefined for the name of a key's lane. */
export function shardOfLane(name: string): string | undefined {
  return name.length < APART || name.includes('\n') ? undefined : name.trimStart()
}

/** A partition key has at most 256 characters: no key, whatever it holds, is a name of this length. */
const APART = 600

function apartFromKeys(text: string): string {
  return text.padStart(APART)
}

/** A lane as 32 hex digits: what the failure ledger and the retry queue use. */
export function laneId(engine: Pick<Engine, 'md5Hex'>, lane: Lane): string {
  return engine.md5Hex(laneName(lane))
}
