import type { KinesisEvent } from '@eddy/aws/lambda'
import type { LogRecord } from '@eddy/core'
import { expect } from 'vitest'
import type { LambdaWorld } from './lambda-world.ts'

/** Records of the stream's first shard as an event, from `first` to `last`, both included. */
export async function eventOf(world: LambdaWorld, first: number, last: number): Promise<KinesisEvent> {
  return eventAt(
    world,
    Array.from({ length: last - first + 1 }, (_, index) => first + index),
  )
}

/** The records at these places. */
export async function eventAt(world: LambdaWorld, places: readonly number[]): Promise<KinesisEvent> {
  const { log } = world.engine
  const [shard] = await world.settle(log.listShards('events'))
  const { shardId } = shard as { shardId: string }
  const read = { stream: 'events', shardId, maxRecords: 1_000, maxBytes: 1_000_000, waitMs: 0 }
  const { records } = await world.settle(log.read({ ...read, from: { at: 'trim_horizon' } }))
  return {
    Records: places
      .map((place) => records[place] as LogRecord)
      .map(({ sequenceNumber, partitionKey, data, arrivedAtMs }) => ({
        kinesis: {
          partitionKey,
          sequenceNumber,
          data: Buffer.from(data).toString('base64'),
          approximateArrivalTimestamp: arrivedAtMs / 1_000,
        },
        eventID: `${shardId}:${sequenceNumber}`,
        eventSourceARN: 'arn:aws:kinesis:eu-west-1:000000000000:stream/events',
      })),
  }
}

/** Identifiers that an invocation reported. */
export function failuresOf(result: { readonly ok: boolean; readonly payload?: unknown }): readonly string[] {
  expect(result).toMatchObject({ ok: true })
  const { batchItemFailures } = result.payload as { batchItemFailures: { itemIdentifier: string }[] }
  return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)
}
