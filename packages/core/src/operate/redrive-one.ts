import { isEddyError } from '../errors/eddy-error.ts'
import { parseFailureId } from '../fail/keys.ts'
import type { LedgerEntry } from '../fail/ledger.ts'
import type { Engine } from '../ports/engine.ts'
import { Stopped } from '../runtime/stop-signal.ts'
import type { SubscriptionControl } from '../runtime/subscription-control.ts'
import type { OperationsDeps } from './operations-deps.ts'
import type { StoredJob } from './redrive-store.ts'

/** `queued`, or why not: what the job counts. */
export type RedriveFate = 'queued' | { readonly skipped: string }

/**
 * Enqueues one id of a job's set. An id that the job enqueued before a crash is found so and not enqueued again (I8).
 * What stands in one id's way is the id's own fate and stops no later one.
 *
 * @throws retryable errors of the engine: the id is to be tried again
 */
export async function redriveOne(
  deps: Pick<OperationsDeps, 'engine' | 'subscriptions' | 'logger'>,
  stored: StoredJob,
  id: string,
): Promise<RedriveFate> {
  const control = deps.subscriptions.get(parseFailureId(id)?.subscription ?? '')
  if (control === undefined) return { skipped: 'no-subscription' }
  try {
    return await enqueue(deps.engine, control, stored, id)
  } catch (error) {
    // The process is going away: nothing is known about this id, and the next start goes on with it.
    if (isProcessEnd(error)) throw error
    if (isEddyError(error) && error.retryable) throw error
    const skipped = isEddyError(error) ? error.code : 'error'
    deps.logger.error(
      { jobId: stored.job.id, failure: id, reason: String(error) },
      'a failure was not redriven',
    )
    return { skipped }
  }
}

/** The engine is closed, or the runtime stops. */
export function isProcessEnd(error: unknown): boolean {
  return error instanceof Stopped || (isEddyError(error) && error.code === 'EDDY_ENGINE_CLOSED')
}

async function enqueue(
  engine: Engine,
  control: SubscriptionControl,
  stored: StoredJob,
  id: string,
): Promise<RedriveFate> {
  const { job, allowOutOfOrder } = stored
  const entry = await control.ledger.getById(id)
  if (entry === undefined) return { skipped: 'expired' }
  const place = entry.item.redrives.findIndex((redrive) => redrive.jobId === job.id)
  // Queued by this job before a crash, and redriven by another job since: this one is done with it.
  if (place >= 0 && place < entry.item.redrives.length - 1) return 'queued'
  if (place < 0) {
    // It was redriven, edited or put away since the set was written down: not what was shown any more.
    if (entry.item.statusAtMs > job.createdAtMs) return { skipped: 'changed' }
    if (!(await hasPayload(engine, control, entry))) return { skipped: 'payload-missing' }
  }
  const result = await control.requeue(entry, { by: job.by, jobId: job.id, allowOutOfOrder })
  return result.kind === 'refused' ? { skipped: result.reason } : 'queued'
}

async function hasPayload(
  engine: Engine,
  control: SubscriptionControl,
  entry: LedgerEntry,
): Promise<boolean> {
  const { item } = entry
  if (item.payloadBlob === undefined) return (await control.ledger.payload(entry)) !== undefined
  // Listed rather than opened: blobs are large.
  for await (const { key } of engine.blobs.list(item.payloadBlob)) return key === item.payloadBlob
  return false
}
