import type { FailureStatus, LedgerItem, Operations, SubscriptionStatus } from '@eddy/core'

/**
 * What an application has to do. `busy`: something now. `due`: nothing before `atMs`. `rest`: nothing until it is
 * given something. `stuck`: a subscription has stopped with events left.
 */
export type Rest =
  | { readonly kind: 'busy'; readonly why: string }
  | { readonly kind: 'due'; readonly atMs: number }
  | { readonly kind: 'rest' }
  | { readonly kind: 'stuck'; readonly why: string }

/** When the next message of a queue is due. */
export type NextDue = (queue: string) => number | undefined

/** @param operations - driven: a call of it lets the clock run until it is answered */
export async function lookAtRest(operations: Operations, nextDue: NextDue): Promise<Rest> {
  const jobs = await operations.listRedrives()
  if (jobs.some((job) => job.state === 'preparing' || job.state === 'running'))
    return { kind: 'busy', why: 'a redrive is under way' }
  const dues: number[] = []
  for (const status of await operations.listSubscriptions()) {
    const queueRest = restOfQueue(status, nextDue)
    if (queueRest.kind === 'due') dues.push(queueRest.atMs)
    const isAwake = queueRest.kind === 'busy' || queueRest.kind === 'stuck'
    const rest = isAwake ? queueRest : await restOf(operations, status)
    if (rest.kind === 'busy' || rest.kind === 'stuck') return rest
    if (rest.kind === 'due') dues.push(rest.atMs)
  }
  return dues.length === 0 ? { kind: 'rest' } : { kind: 'due', atMs: Math.min(...dues) }
}

async function restOf(operations: Operations, status: SubscriptionStatus): Promise<Rest> {
  const { name } = status
  if (status.inFlight > 0)
    return { kind: 'busy', why: `${status.inFlight} handlers of "${name}" are running` }
  if (status.paused) return { kind: 'rest' }
  for (const shard of status.shards) {
    const isWaiting = shard.buffered > 0 || (shard.lagRecords ?? 0) > 0
    if (!isWaiting) continue
    const why = `"${name}" has ${shard.lagRecords ?? shard.buffered} events of ${shard.shardId} to handle`
    if (shard.state === 'stopped') return { kind: 'stuck', why: `${why} and has stopped` }
    // A blocked shard waits for its failing event, which the ledger tells of.
    if (shard.state === 'reading' || shard.state === 'recovering') return { kind: 'busy', why }
  }
  if (status.retrying + status.held === 0) return { kind: 'rest' }
  const items = [
    ...(await failuresOf(operations, name, 'retrying')),
    ...(await failuresOf(operations, name, 'held')),
  ]
  return restOfFailures(name, items, status.blocks)
}

function restOfQueue({ name, queue, paused }: SubscriptionStatus, nextDue: NextDue): Rest {
  if (queue === undefined || paused) return { kind: 'rest' }
  const waiting = queue.ready + queue.inFlight
  if (waiting > 0 || queue.buffered > 0) {
    const why = `"${name}" has ${waiting} messages of queue "${queue.name}" to handle`
    return queue.state === 'stopped'
      ? { kind: 'stuck', why: `${why} and has stopped` }
      : { kind: 'busy', why }
  }
  const atMs = queue.delayed > 0 ? nextDue(queue.name) : undefined
  return atMs === undefined ? { kind: 'rest' } : { kind: 'due', atMs }
}

function restOfFailures(name: string, items: readonly LedgerItem[], blocks: string): Rest {
  const lane = (item: LedgerItem): string =>
    blocks === 'shard' ? item.shardId : `${item.explicitHashKey ?? ''}\n${item.key}`
  const explained = new Set<string>()
  let dueAtMs = Number.POSITIVE_INFINITY
  for (const item of items) {
    if (item.status === 'retrying') dueAtMs = Math.min(dueAtMs, item.dueAtMs ?? 0)
    if (item.status === 'retrying' || item.parked === true) explained.add(lane(item))
  }
  // Whoever waits behind nobody is about to be handled.
  const next = items.find((item) => !explained.has(lane(item)))
  if (next !== undefined) return { kind: 'busy', why: `"${name}" is about to handle ${next.eventId}` }
  return dueAtMs === Number.POSITIVE_INFINITY ? { kind: 'rest' } : { kind: 'due', atMs: dueAtMs }
}

async function failuresOf(
  operations: Operations,
  subscription: string,
  status: FailureStatus,
): Promise<LedgerItem[]> {
  const items: LedgerItem[] = []
  let after: string | undefined
  do {
    const page = await operations.listFailures(
      { subscription, status },
      { limit: 1_000, ...(after !== undefined && { after }) },
    )
    items.push(...page.items)
    after = page.next
  } while (after !== undefined)
  return items
}
