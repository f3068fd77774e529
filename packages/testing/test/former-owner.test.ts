import { encodeEvent, type HandlerContext, type Table } from '@eddy/core'
import { beforeEach, describe, expect, test } from 'vitest'
import { SimWorld } from '../src/index.ts'
import { History } from '../src/simulation/history.ts'
import { OrderPromises } from '../src/simulation/order-promises.ts'
import { RareEventCounts } from '../src/simulation/rare-events.ts'
import { STREAM, StoredView, SUBSCRIPTION } from '../src/simulation/stored-view.ts'
import { watchedEngine } from '../src/simulation/watched-engine.ts'

const LANE = '0cc175b9c0f1b6a831c399e269772661'

let world: SimWorld
let view: StoredView
let history: History
/** Of the first life, which goes on beside the second. */
let former: Table

/** Two events of one key, and a process that has begun. */
beforeEach(async () => {
  world = new SimWorld({ seed: 1 })
  view = new StoredView(world.store)
  history = new History(view, new OrderPromises('key'), { protect: undefined, concurrency: 1 })
  history.boot = 1
  const engine = watchedEngine(world.boot(), new RareEventCounts(), history)
  former = engine.table
  const entries = ['e1', 'e2'].map((id) => ({
    partitionKey: 'a',
    data: encodeEvent({ id, key: 'a', data: {} }, { stream: STREAM, id, nowMs: 0 }),
  }))
  const appended = engine.log
    .createStream({ name: STREAM, shardCount: 1, retentionMs: 86_400_000, durability: 'fsync' })
    .then(() => engine.log.append(STREAM, entries))
  await world.clock.advance(10)
  await appended
})

function start(eventId: string, path: 'live' | 'retry', attempt: number): number {
  const record = view.records().find((one) => one.eventId === eventId)
  if (record === undefined) throw new Error(`${eventId} is not in the log`)
  const { record: stored, position } = record
  const { shardId, sequenceNumber } = stored
  const ctx = { shardId, sequenceNumber, position, path, attempt, outOfOrder: false } as HandlerContext
  return history.started(eventId, ctx, world.clock.now())
}

/** Handled at once, and well. */
function handle(eventId: string, path: 'live' | 'retry', attempt: number): void {
  history.ended(eventId, start(eventId, path, attempt), 'ok')
}

/** The event's item comes into the ledger, claimed for its nth attempt. */
async function enters(table: Table, eventId: string, attempts: number): Promise<void> {
  const { record, position } =
    view.records().find((one) => one.eventId === eventId) ?? expect.unreachable('not in the log')
  const item = {
    id: `${SUBSCRIPTION}:${LANE}:${position}`,
    shardId: record.shardId,
    position,
    key: 'a',
    eventId,
    status: 'retrying',
    attempts,
    deliveries: 0,
    history: [],
    redrives: [],
  }
  const key = { partition: `ledger/${SUBSCRIPTION}/${LANE}`, sort: position }
  const written = table.put({ ...key, value: { item, errors: [] } as never }, 'absent')
  await world.clock.advance(10)
  expect(await written).toMatchObject({ ok: true })
}

describe('what the simulation holds a process to (I3, I9)', () => {
  test('an event is not retried while it is being handled', async () => {
    start('e1', 'live', 1)
    await enters(former, 'e1', 2)
    expect(() => start('e1', 'retry', 2)).toThrow('I3: e1 started while it was being handled')
  })

  test('an event that went well is not retried after a later one of its key', async () => {
    handle('e1', 'live', 1)
    handle('e2', 'live', 1)
    await enters(former, 'e1', 2)
    expect(() => start('e1', 'retry', 2)).toThrow('I3: e1 had gone well, e2 after it, and is retried now')
  })

  test('attempts are counted upwards', async () => {
    handle('e1', 'live', 1)
    await enters(former, 'e1', 1)
    expect(() => start('e1', 'retry', 1)).toThrow('I9: e1 has attempt 1 after attempt 1 of this life')
  })
})

describe('what a former owner that goes on brings back, whatever its successor does', () => {
  test('an event that failed there is retried while it is live here', async () => {
    start('e1', 'live', 1)
    history.lingers(1)
    history.boot = 2
    start('e1', 'live', 1)
    await enters(former, 'e1', 2)
    expect(() => start('e1', 'retry', 2)).not.toThrow()
  })

  test('an event that only waited there comes again too, its attempts counted anew', async () => {
    history.lingers(1)
    history.boot = 2
    handle('e1', 'live', 1)
    handle('e2', 'live', 1)
    await enters(former, 'e2', 1)
    expect(() => start('e2', 'retry', 1)).not.toThrow()
  })
})
