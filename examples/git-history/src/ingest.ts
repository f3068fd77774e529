import type { AppendOutcome, Operations } from 'eddy'
import type { GitChange } from './git-change.ts'
import { STREAM } from './git-history-app.ts'

const BATCH_EVENTS = 500

export interface IngestOptions {
  readonly operations: Pick<Operations, 'append'>
  readonly producerId: string
  /** Checked between batches. */
  readonly signal: AbortSignal
  readonly onProgress?: (appended: number) => void
}

/**
 * Appends the changes in order, one batch after the other.
 *
 * @returns how many were appended, those that were there before included
 * @throws Error when a change was not accepted
 */
export async function ingest(
  changes: AsyncIterable<GitChange> | Iterable<GitChange>,
  options: IngestOptions,
): Promise<number> {
  let appended = 0
  let batch: GitChange[] = []
  const flush = async () => {
    options.signal.throwIfAborted()
    const outcomes = await options.operations.append(
      STREAM,
      batch.map((data) => ({ key: data.path, data, type: 'git.change', time: data.authoredAt })),
      { producerId: options.producerId, firstSequence: appended },
    )
    checkAccepted(outcomes)
    appended += batch.length
    batch = []
    options.onProgress?.(appended)
  }
  for await (const change of changes) {
    batch.push(change)
    if (batch.length === BATCH_EVENTS) await flush()
  }
  if (batch.length > 0) await flush()
  return appended
}

function checkAccepted(outcomes: readonly AppendOutcome[]): void {
  for (const outcome of outcomes) {
    if (!outcome.ok) throw new Error(`a change was not accepted: ${outcome.code}: ${outcome.message}`)
  }
}
