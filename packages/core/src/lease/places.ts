/** Names of what leases are of. */
export const places = {
  shard: (stream: string, shardId: string): string => `shard/${stream}/${shardId}`,
  /** One process reads a queue for its subscription. */
  queue: (subscription: string): string => `queue/${subscription}`,
}
