/** Names of what leases are of: a kind, and what it is within it. Leases are balanced kind by kind. */
export const places = {
  shard: (stream: string, shardId: string): string => `shard/${stream}/${shardId}`,
  shardsOf: (stream: string): string => `shard/${stream}/`,
  /** One process reads a queue for its subscription. */
  queue: (subscription: string): string => `queue/${subscription}`,
  /** What one process does for all. */
  role: (name: Role): string => `role/${name}`,
}

export const ROLES = ['sweeper', 'janitor', 'jobs'] as const
export type Role = (typeof ROLES)[number]

export function kindOf(place: string): string {
  return place.slice(0, place.indexOf('/'))
}

/** Of a shard's place. */
export function shardIdOf(place: string): string {
  return place.slice(place.lastIndexOf('/') + 1)
}
