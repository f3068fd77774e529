import type { AppendMarks, AppendOutcome, NewEvent, Operations } from '@eddy/core'
import type { ParsedRecord } from './parsed-record.ts'

export interface AppendWay {
  readonly marks: AppendMarks | undefined
  /** The log is asked once; else the server's producer sends again what fails for now. */
  readonly isOnce: boolean
}

/**
 * Appends the records that are events and answers every record in its place.
 *
 * Record `n` of the request has the n-th sequence, bad records included: a client that sends a failed record again names
 * it by its place in the request, and must not hit the number of another one.
 */
export async function appendRecords(
  operations: Operations,
  stream: string,
  records: readonly ParsedRecord[],
  way: AppendWay,
): Promise<readonly AppendOutcome[]> {
  const outcomes: AppendOutcome[] = []
  for (const [index, record] of records.entries()) if (!record.ok) outcomes[index] = refused(record.message)
  for (const run of runsOf(records, way)) {
    const results = await appendRun(operations, stream, run, way)
    for (const [order, placed] of run.entries()) outcomes[placed.index] = results[order] as AppendOutcome
  }
  return outcomes
}

interface PlacedEvent {
  readonly index: number
  readonly event: NewEvent
  readonly sequence: number | undefined
}

function appendRun(
  operations: Operations,
  stream: string,
  run: readonly PlacedEvent[],
  { marks, isOnce }: AppendWay,
): Promise<readonly AppendOutcome[]> {
  const events = run.map(({ event }) => event)
  if (isOnce) {
    const sequences = run.map(({ sequence }) => sequence as number)
    return operations.appendOnce(stream, events, marks && { producerId: marks.producerId, sequences })
  }
  const firstSequence = run[0]?.sequence
  if (marks === undefined || firstSequence === undefined) return operations.append(stream, events, {})
  return operations.append(stream, events, { producerId: marks.producerId, firstSequence })
}

/** The server's producer counts up from one sequence: events whose sequences do not follow go in calls of their own. */
function runsOf(
  records: readonly ParsedRecord[],
  { marks, isOnce }: AppendWay,
): readonly (readonly PlacedEvent[])[] {
  const runs: PlacedEvent[][] = []
  for (const [index, record] of records.entries()) {
    if (!record.ok) continue
    const placed = { index, event: record.event, sequence: marks?.sequences[index] }
    const last = runs.at(-1)
    const before = last?.at(-1)?.sequence
    const follows = isOnce || placed.sequence === undefined || placed.sequence - 1 === before
    if (last !== undefined && follows) last.push(placed)
    else runs.push([placed])
  }
  return runs
}

export function refused(message: string): AppendOutcome {
  return { ok: false, code: 'EDDY_INVALID_EVENT', retryable: false, message }
}
