import { createHash } from 'node:crypto'
import { AggregateBuilder, type AppendResult } from '@eddy/core'
import type { Harness } from '../../src/index.ts'

export interface UserEvent {
  readonly key: string
  readonly id: string
  readonly explicitHashKey?: string
  /** Producer id and sequence, as the producer marks events. */
  readonly mark?: readonly [producer: string, sequence: number]
  readonly data?: unknown
}

/** One record of the stream that holds all the events; placed by an explicit hash key where one is given. */
export async function putAggregate(
  h: Harness,
  events: readonly UserEvent[],
  explicitHashKey?: string,
): Promise<AppendResult> {
  return await put(h, { key: 'a', data: aggregateOf(events), explicitHashKey })
}

/** An event as a record of its own, without any producer: nothing is known of it but its bytes. */
export async function putEvent(h: Harness, event: UserEvent): Promise<AppendResult> {
  return await put(h, { key: event.key, data: bytesOf(event), explicitHashKey: event.explicitHashKey })
}

export function aggregateOf(events: readonly UserEvent[]): Uint8Array {
  const builder = new AggregateBuilder()
  for (const event of events) {
    const { key: partitionKey, explicitHashKey } = event
    builder.add({
      partitionKey,
      data: bytesOf(event),
      ...(explicitHashKey !== undefined && { explicitHashKey }),
    })
  }
  return builder.build((bytes) => createHash('md5').update(bytes).digest())
}

export function bytesOf({ key, id, mark, data = {} }: UserEvent): Uint8Array {
  const event = { specversion: '1.0', id, source: 'test', type: 't', partitionkey: key, data }
  const marks = mark === undefined ? {} : { eddyproducer: mark[0], eddysequence: String(mark[1]) }
  return new TextEncoder().encode(JSON.stringify({ ...marks, ...event }))
}

/** By a process of its own. */
async function put(
  h: Harness,
  record: { readonly key: string; readonly data: Uint8Array; readonly explicitHashKey: string | undefined },
): Promise<AppendResult> {
  const { key: partitionKey, data, explicitHashKey } = record
  const engine = h.world.boot()
  const entry = { partitionKey, data, ...(explicitHashKey !== undefined && { explicitHashKey }) }
  const [result] = await h.clock.settle(engine.log.append('events', [entry]))
  await engine.close()
  if (result?.ok !== true) throw new Error(`not stored: ${result?.message}`)
  return result
}
