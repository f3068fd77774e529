import type { Table } from '@eddy/core'
import type { SqsWorld } from '../sqs-world.ts'
import type { StoredMessage } from './stored.ts'
import {
  contentKey,
  deduplicationOf,
  GARBAGE,
  messageKey,
  messagesOf,
  SEQUENCES,
  sequenceKey,
} from './table-keys.ts'

const PAGE = 200
const RETRY_MS = 5_000

export interface Sweep {
  readonly queueId: string
  /** Messages before this one; undefined: all that is left of a deleted queue. */
  readonly below: number | undefined
}

/**
 * Removes what nobody can receive any more, a page at a time: after a purge, or of a deleted queue. Begun again by the
 * next load if the process ends before. Never rejects.
 */
export async function sweepMessages(world: SqsWorld, sweep: Sweep): Promise<void> {
  while (!world.signal.aborted) {
    try {
      await sweepAll(world.table, sweep, world.signal)
      return
    } catch {
      // A store that fails is told of by those who wait for it. Here it is only tried again.
      await world.clock.sleep(RETRY_MS, world.signal)
    }
  }
}

async function sweepAll(table: Table, { queueId, below }: Sweep, signal: AbortSignal): Promise<void> {
  const to = below === undefined ? undefined : sequenceKey(below - 1)
  let after: string | undefined
  do {
    if (signal.aborted) return
    const page = await table.query<StoredMessage>({
      partition: messagesOf(queueId),
      limit: PAGE,
      ...(to !== undefined && { to }),
      ...(after !== undefined && { after }),
    })
    const messages = page.items.map(({ sort, value }) => ({ sequence: Number(sort), value }))
    await Promise.all(
      messages.map(({ sequence, value }) =>
        table.delete(
          contentKey({
            queueId: value.contentQueue ?? queueId,
            sequence: value.contentSequence ?? sequence,
          }),
          'any',
        ),
      ),
    )
    await Promise.all(messages.map(({ sequence }) => table.delete(messageKey(queueId, sequence), 'any')))
    after = page.next
  } while (after !== undefined)
  if (below === undefined) await forgetQueue(table, queueId, signal)
}

async function forgetQueue(table: Table, queueId: string, signal: AbortSignal): Promise<void> {
  const partition = deduplicationOf(queueId)
  let after: string | undefined
  do {
    if (signal.aborted) return
    const page = await table.query({ partition, limit: PAGE, ...(after !== undefined && { after }) })
    await Promise.all(page.items.map(({ sort }) => table.delete({ partition, sort }, 'any')))
    after = page.next
  } while (after !== undefined)
  await table.delete({ partition: SEQUENCES, sort: queueId }, 'any')
  await table.delete({ partition: GARBAGE, sort: queueId }, 'any')
}
