import { QueueNotFoundError } from '../errors/queue-errors.ts'
import { keys } from '../fail/keys.ts'
import type { QueueDefinition } from '../model/message.ts'
import type { SubscriptionControl } from '../runtime/subscription-control.ts'
import { actorOf } from './action.ts'
import type { Audit } from './audit.ts'
import type { PurgeOptions, PurgeResult, QueueDepth, QueueStatus } from './operations.ts'
import type { OperationsDeps } from './operations-deps.ts'

type QueueDeps = Pick<OperationsDeps, 'engine' | 'queues' | 'subscriptions'>

/** By name. */
export async function listQueues(deps: QueueDeps): Promise<readonly QueueStatus[]> {
  const names = [...deps.queues.keys()].sort()
  return await Promise.all(names.map((name) => showQueue(deps, name)))
}

/** @throws QueueNotFoundError */
export async function showQueue(deps: QueueDeps, name: string): Promise<QueueStatus> {
  const { group, deduplicationWindowMs } = requireQueue(deps, name)
  const subscription = readerOf(deps, name)?.definition.name
  return {
    name,
    ...(group !== undefined && { group }),
    deduplicationWindowMs,
    ...(subscription !== undefined && { subscription }),
    ...(await depthOf(deps.engine, name)),
  }
}

/** What waits in a queue, as the engine tells. */
export async function depthOf(engine: OperationsDeps['engine'], name: string): Promise<QueueDepth> {
  const { messages, inFlight, delayed, oldestDueAtMs } = await engine.queue.stats(keys.queue(name))
  return {
    messages,
    ready: Math.max(0, messages - inFlight - delayed),
    inFlight,
    delayed,
    oldestAgeMs: oldestDueAtMs === undefined ? 0 : Math.max(0, engine.clock.now() - oldestDueAtMs),
  }
}

/**
 * Removes every message of a queue; what of it failed before stays in the failure ledger.
 * @throws QueueNotFoundError
 */
export async function purgeQueue(
  deps: QueueDeps,
  audit: Audit,
  name: string,
  options: PurgeOptions = {},
): Promise<PurgeResult> {
  requireQueue(deps, name)
  const actor = actorOf(options)
  const queueName = keys.queue(name)
  const messages = await deps.engine.queue.depth(queueName)
  if (options.dryRun === true) return { messages, dryRun: true }
  await readerOf(deps, name)?.beforePurge()
  await deps.engine.queue.purge(queueName)
  await audit.append(actor, 'queue-purge', name, messages)
  return { messages, dryRun: false }
}

function requireQueue(deps: QueueDeps, name: string): QueueDefinition {
  const queue = deps.queues.get(name)
  if (queue === undefined) throw new QueueNotFoundError(name)
  return queue
}

function readerOf(deps: QueueDeps, name: string): SubscriptionControl | undefined {
  return [...deps.subscriptions.values()].find((control) => control.definition.queue?.name === name)
}
