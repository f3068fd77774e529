import type { FailureStatus } from '../model/ledger-item.ts'
import type { Position } from '../model/position.ts'
import type { ItemKey } from '../ports/table.ts'

/** Names of table partitions, queues and blobs, in one place, so that no two kinds can collide. */
export const keys = {
  ledger: (subscription: string, laneId: string): string => `ledger/${subscription}/${laneId}`,
  payload: (subscription: string, laneId: string, position: Position): ItemKey => ({
    partition: `payload/${subscription}/${laneId}`,
    sort: position,
  }),
  payloadBlob: (subscription: string, laneId: string, position: Position): string =>
    `payload/${subscription}/${laneId}/${position}`,
  /** Index partition: the items of one status, oldest first. */
  status: (subscription: string, status: FailureStatus): string => `failures/${subscription}/${status}`,
  hold: (subscription: string): string => `hold/${subscription}`,
  checkpoint: (subscription: string): string => `checkpoint/${subscription}`,
  steps: (subscription: string, eventHash: string): string => `step/${subscription}/${eventHash}`,
  subscription: (subscription: string): ItemKey => ({ partition: 'subscription', sort: subscription }),
  breaker: (subscription: string): ItemKey => ({ partition: 'breaker', sort: subscription }),
  policy: (subscription: string): ItemKey => ({ partition: 'policy', sort: subscription }),
  policyChanges: (subscription: string): string => `policy-change/${subscription}`,
  /** Of an event that is handled where its process may die, by the name that its marker has. */
  deaths: (event: string): ItemKey => ({ partition: 'deaths', sort: event }),
  /** Batches of a shard's records that functions were invoked with. */
  batches: (subscription: string, shardId: string): string => `batch/${subscription}/${shardId}`,
  process: { partition: 'process', sort: 'state' } as ItemKey,
  marker: (worker: string | undefined): ItemKey => ({
    partition: 'process',
    sort: worker === undefined ? 'marker' : `marker/${worker}`,
  }),
  /** A queue of the application, in the port. */
  queue: (name: string): string => `queue/${name}`,
  retryQueue: (subscription: string): string => `retry/${subscription}`,
}

/**
 * How many partitions of a table that bounds what each one takes (DynamoDB: 1,000 units of writes a second) share the items
 * of one of these. The status index takes two writes for every step of every failure, holds and checkpoints one for each
 * key and shard; everything else lies in partitions of a lane or an event, or is written by people and starts.
 */
export function partitionWidth(partition: string): number {
  if (partition.startsWith('failures/')) return 16
  return partition.startsWith('hold/') || partition.startsWith('checkpoint/') ? 8 : 1
}

/** `<subscription>:<lane id>:<position>`; subscription names hold no colon. */
export function failureId(subscription: string, laneId: string, position: Position): string {
  return `${subscription}:${laneId}:${position}`
}

export interface FailureRef {
  readonly subscription: string
  readonly laneId: string
  readonly position: Position
}

export function parseFailureId(id: string): FailureRef | undefined {
  const match =
    /^([^:]{1,128}):([0-9a-f]{32}):(\d{4}\.(?:\d{4}|x\d{15})\.\d{4,132}(?::\d{6})?(?:-\d{4})*)$/.exec(id)
  if (match === null) return undefined
  return { subscription: match[1] as string, laneId: match[2] as string, position: match[3] as string }
}
