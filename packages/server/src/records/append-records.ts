import type { AppendOptions, AppendOutcome, NewEvent, Operations } from '@eddy/core'
import type { ParsedRecord } from './parsed-record.ts'

/**
 * Appends the records that are events and answers every record in its place.
 *
 * With a producer sequence, record `n` of the request has `firstSequence + n`, bad records included: a client that
 * sends a failed record again names it by its place in the request, and must not hit the number of another one.
 * So the events between two bad records go in a call of their own.
 */
export async function appendRecords(
  operations: Operations,
  stream: string,
  records: readonly ParsedRecord[],
  options: AppendOptions,
): Promise<readonly AppendOutcome[]> {
  const outcomes: AppendOutcome[] = []
  for (const [index, record] of records.entries()) if (!record.ok) outcomes[index] = refused(record.message)
  const runs = options.firstSequence === undefined ? [allEvents(records)] : runsOfEvents(records)
  for (const run of runs) {
    const runOptions =
      options.firstSequence === undefined
        ? options
        : { ...options, firstSequence: options.firstSequence + (run[0]?.index ?? 0) }
    const results = await operations.append(
      stream,
      run.map((placed) => placed.event),
      runOptions,
    )
    for (const [order, placed] of run.entries()) outcomes[placed.index] = results[order] as AppendOutcome
  }
  return outcomes
}

interface PlacedEvent {
  readonly index: number
  readonly event: NewEvent
}

function allEvents(records: readonly ParsedRecord[]): readonly PlacedEvent[] {
  return records.flatMap((record, index) => (record.ok ? [{ index, event: record.event }] : []))
}

function runsOfEvents(records: readonly ParsedRecord[]): readonly (readonly PlacedEvent[])[] {
  const runs: PlacedEvent[][] = []
  for (const placed of allEvents(records)) {
    const last = runs.at(-1)
    if (last !== undefined && last.at(-1)?.index === placed.index - 1) last.push(placed)
    else runs.push([placed])
  }
  return runs
}

export function refused(message: string): AppendOutcome {
  return { ok: false, code: 'EDDY_INVALID_EVENT', retryable: false, message }
}
