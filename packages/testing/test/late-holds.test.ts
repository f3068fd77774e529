import { defineApp, stream, subscribe } from '@eddy/core'
import { expect, test } from 'vitest'
import { harness } from '../src/harness/harness.ts'
import { LateHolds } from '../src/simulation/late-holds.ts'
import { runSeed } from '../src/simulation/run-seed.ts'
import { type StoredHold, StoredView } from '../src/simulation/stored-view.ts'

const orders = stream('orders', { shards: 1 })
const app = defineApp({ subscriptions: [subscribe('billing', orders, { handle: () => {} })] })

/** o1, o2 and o3 of one key, o4 of another; `hold` holds the first key from o2 on. */
async function held() {
  const h = await harness(app)
  await h.append('orders', [
    { key: 'a', id: 'o1', data: {} },
    { key: 'a', id: 'o2', data: {} },
    { key: 'a', id: 'o3', data: {} },
    { key: 'b', id: 'o4', data: {} },
  ])
  const view = new StoredView(h.world.store)
  const second = view.records().find(({ eventId }) => eventId === 'o2')
  if (second === undefined) throw new Error('nothing is stored')
  const { position } = second
  const { shardId } = second.record
  const hold: StoredHold = {
    ...{ state: 'held', lo: position, tail: position, key: 'a', laneId: '', shardId, epoch: 1 },
    updatedAtMs: 0,
  }
  await h.close()
  const late = new LateHolds(view)
  late.began(2)
  const reached = (): string[] => ['o1', 'o2', 'o3', 'o4'].filter((id) => late.reached(id))
  return { late, hold, reached }
}

test('a hold that a former owner writes late excuses what had gone well behind it, in its key alone', async () => {
  const { late, hold, reached } = await held()
  late.changed(undefined, hold, (eventId) => eventId !== 'o3')
  expect(reached()).toEqual(['o2'])
})

test('until it is known, it excuses what goes well behind it; then nothing more', async () => {
  const { late, hold, reached } = await held()
  late.changed(undefined, hold, () => false)
  for (const eventId of ['o1', 'o2', 'o4']) late.handled(eventId)
  expect(reached()).toEqual(['o2'])
  late.changed(hold, { ...hold, epoch: 2 }, () => false)
  late.handled('o3')
  expect(reached()).toEqual(['o2'])
})

test('a start loads it: what goes well from then on is not excused', async () => {
  const { late, hold, reached } = await held()
  late.changed(undefined, hold, () => false)
  late.began(3)
  late.handled('o2')
  expect(reached()).toEqual([])
})

test("the owner's own holds excuse nothing, nor does one that stood before the successor came", async () => {
  const { late, hold, reached } = await held()
  late.changed(undefined, { ...hold, epoch: 2 }, () => true)
  late.changed(hold, { ...hold, tail: `${hold.tail}~` }, () => true)
  late.handled('o2')
  expect(reached()).toEqual([])
})

test('a shard that a former owner held late: all its keys', async () => {
  const { late, hold, reached } = await held()
  late.changed(undefined, { ...hold, key: ` ${hold.shardId}` }, () => true)
  expect(reached()).toEqual(['o2', 'o3', 'o4'])
})

test('a former owner fails an event late that its successor has handled, and the third owner sends it again: excused', async () => {
  expect((await runSeed(2306)).violation).toBeUndefined()
})
