import type { SubscriptionParts } from './subscription-parts.ts'

/** Tells that a subscription reads these shards no more: after an error that no repetition can mend (I9). */
export function tellStopped(
  { definition, logger, notify, engine }: SubscriptionParts,
  shardIds: readonly string[],
  error: unknown,
): void {
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  const stack = error instanceof Error ? error.stack : undefined
  const subscription = definition.name
  logger.error(
    { subscription, shardIds, reason, stack },
    `a subscription stopped reading ${definition.stream}`,
  )
  for (const shardId of shardIds)
    notify({ kind: 'subscription-stopped', subscription, shardId, reason, atMs: engine.clock.now() })
}
