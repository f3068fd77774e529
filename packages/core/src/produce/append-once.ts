import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { AppendMarks } from '../model/append-marks.ts'
import type { NewEvent } from '../model/event.ts'
import type { AppendOutcome } from '../operate/operations.ts'
import type { Clock } from '../ports/clock.ts'
import type { AppendEntry, AppendResult, Log } from '../ports/log.ts'
import { prepareEvent } from './prepare-event.ts'
import { randomUuid } from './uuid.ts'

export interface AppendOnceOptions {
  readonly log: Pick<Log, 'append'>
  readonly clock: Clock
  /** Undefined for a stream without a schema. */
  readonly schema: StandardSchemaV1 | undefined
}

/**
 * The far end of a producer in another process: encodes, checks, and appends in one call of the log. Nothing is sent
 * again here, since only the producer knows what follows an event of the same key.
 *
 * @param marks - as many sequences as there are events; an event without an id has `<producer id>/<sequence>`
 * @returns one outcome an event, in order; an invalid one fails alone
 * @throws the log's error when nothing is known of the call, retryable: any of it may be stored
 */
export async function appendOnce(
  { log, clock, schema }: AppendOnceOptions,
  stream: string,
  events: readonly NewEvent[],
  marks?: AppendMarks,
): Promise<readonly AppendOutcome[]> {
  const nowMs = clock.now()
  const outcomes: (AppendOutcome | undefined)[] = new Array(events.length)
  const placed: { readonly index: number; readonly id: string }[] = []
  const entries: AppendEntry[] = []
  for (const [index, event] of events.entries()) {
    const producerSequence = marks?.sequences[index]
    const id =
      event?.id ?? (marks === undefined ? randomUuid(clock) : `${marks.producerId}/${producerSequence}`)
    const preparing = prepareEvent(event, { stream, id, nowMs, schema })
    const prepared = preparing instanceof Promise ? await preparing : preparing
    if (!prepared.ok) {
      outcomes[index] = prepared.outcome
      continue
    }
    placed.push({ index, id })
    entries.push({
      partitionKey: event.key,
      data: prepared.bytes,
      ...(event.explicitHashKey !== undefined && { explicitHashKey: event.explicitHashKey }),
      ...(marks !== undefined &&
        producerSequence !== undefined && { producerId: marks.producerId, producerSequence }),
    })
  }
  const results = entries.length === 0 ? [] : await log.append(stream, entries)
  for (const [order, { index, id }] of placed.entries()) {
    outcomes[index] = outcomeOf(results[order] as AppendResult, id)
  }
  return outcomes as AppendOutcome[]
}

function outcomeOf(result: AppendResult, id: string): AppendOutcome {
  if (!result.ok) return result
  const { shardId, sequenceNumber, duplicate } = result
  return { ok: true, id, shardId, sequenceNumber, duplicate }
}
