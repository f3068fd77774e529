import type { Engine } from '../ports/engine.ts'

/** What orders events: a partition key, with the explicit hash key where one placed the record elsewhere. */
export interface Lane {
  readonly key: string
  readonly explicitHashKey?: string
}

/** A lane as a map key. Cheap: this is what the live path uses for every event. */
export function laneName(lane: Lane): string {
  return lane.explicitHashKey === undefined ? lane.key : `${lane.explicitHashKey}\n${lane.key}`
}

/** A lane as 32 hex digits: what the failure ledger and the retry queue use. */
export function laneId(engine: Pick<Engine, 'md5Hex'>, lane: Lane): string {
  return engine.md5Hex(laneName(lane))
}
