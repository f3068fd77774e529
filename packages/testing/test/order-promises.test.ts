import { expect, test } from 'vitest'
import { type Blocks, OrderPromises } from '../src/simulation/order-promises.ts'
import type { PositionedRecord } from '../src/simulation/stored-records.ts'

/** Two events of one shard and two keys, the first of which failed under `shard`. */
function shardHeld(): { readonly promises: OrderPromises; readonly isOrdered: () => boolean } {
  const promises = new OrderPromises('shard')
  promises.begun('e1', false)
  promises.entered('e1')
  const [e1, e2] = ['e1', 'e2'].map(
    (eventId) =>
      ({ eventId, position: eventId, lane: `/${eventId}`, record: { shardId: 's' } }) as PositionedRecord,
  ) as [PositionedRecord, PositionedRecord]
  return {
    promises,
    isOrdered: () => {
      promises.begun('e2', false)
      return promises.isOrdered(e1, e2)
    },
  }
}

function change(promises: OrderPromises, to: Blocks): void {
  promises.alsoPossible(to)
  promises.only(to)
}

test('what holds its shard comes before all of the shard, whatever counted meanwhile (I3)', () => {
  const { promises, isOrdered } = shardHeld()
  change(promises, 'key')
  change(promises, 'shard')
  expect(isOrdered()).toBe(true)
})

test("not once its shard was let go, though the shard's hold goes only when `shard` counts again", () => {
  const { promises, isOrdered } = shardHeld()
  change(promises, 'key')
  change(promises, 'shard')
  promises.handedOver('e1', 'key')
  expect(isOrdered()).toBe(false)
})
