import { defineApp, fixed, positionOf, stream, subscribe } from '@eddy/core'
import { expect, test } from 'vitest'
import { harness } from '../../src/harness/harness.ts'
import { md5Hex } from '../../src/sim/store/stream-store.ts'

const orders = stream('orders', { shards: 1 })
const billing = subscribe('billing', orders, {
  failure: { blocks: 'key', exhausted: 'hold', retry: fixed({ delayMs: 100, maxAttempts: 5 }) },
  handle: () => {},
})
const app = defineApp({ subscriptions: [billing] })

test('a released hold stays as a watermark for a day, and goes once no replay can reach it (H4)', async () => {
  const h = await harness(app)
  h.fail('billing', { attempts: 1 })
  await h.append('orders', { key: 'a', id: 'o1', data: {} })
  await h.settle()
  const holds = () => h.world.store.allItems('hold/billing')
  await h.advance('2h')
  expect(holds()).toMatchObject([{ value: { state: 'open' } }])
  await h.advance('23h')
  expect(holds()).toEqual([])
  await h.close()
})

test('the checkpoint of a later owner is never written over by a former one (C4)', async () => {
  const h = await harness(app)
  await h.append('orders', { key: 'a', id: 'o1', data: {} })
  await h.settle()
  const [before] = h.world.store.allItems('checkpoint/billing')
  if (before === undefined) throw new Error('there is no checkpoint')
  // A later owner takes the shard and notes its own progress; this process does not know yet.
  const later = { ...(before.value as object), epoch: 99, runs: (before.value as { runs: string }).runs }
  h.world.store.table.put({ ...before, value: later }, 'any', h.clock.now(), 0)
  await h.append('orders', { key: 'a', id: 'o2', data: {} })
  await h.advance('10s')
  expect(h.world.store.allItems('checkpoint/billing')).toMatchObject([{ value: { epoch: 99 } }])
  expect((await h.operations.showSubscription('billing')).shards).toMatchObject([{ state: 'stopped' }])
  await h.close()
})

test('a hold that a former owner wrote late keeps its tail when it is taken over (H2, rule 3a)', async () => {
  let writeLate: (() => void) | undefined
  const handled: string[] = []
  const h = await harness(
    defineApp({
      subscriptions: [
        subscribe('billing', orders, {
          failure: { blocks: 'key', exhausted: 'hold', retry: fixed({ delayMs: 100, maxAttempts: 5 }) },
          handle: (event, ctx) => {
            handled.push(`${event.id}: ${ctx.attempt}`)
            const write = writeLate
            writeLate = undefined
            if (write === undefined) return
            write()
            throw new Error('planned')
          },
        }),
      ],
    }),
  )
  const tails: string[] = []
  const { table, log } = h.world.store
  table.onChange = (before, after) => {
    if (after?.partition === 'hold/billing' && (before === undefined || isHeld(before)) && isHeld(after))
      tails.push((after.value as { readonly tail: string }).tail)
  }
  // It had diverted the second event too, as this process was still at the first.
  writeLate = () => {
    const [shard] = log.stream('orders').shards
    if (shard === undefined) throw new Error('there is no shard')
    const [first, second] = shard.records.map((record) => positionOf(0, 0, record.sequenceNumber))
    const value = {
      ...{ state: 'held', lo: first as string, tail: second as string, key: 'a', laneId: md5Hex('a') },
      ...{ shardId: shard.options.shardId, epoch: 0, updatedAtMs: h.clock.now() },
    }
    table.put({ partition: 'hold/billing', sort: md5Hex('a'), value }, 'absent', h.clock.now(), 0)
  }
  await h.append('orders', [
    { key: 'a', id: 'o1', data: {} },
    { key: 'a', id: 'o2', data: {} },
  ])
  await h.settle()
  // Its own failure, and not one more event that waits: its attempt counts.
  expect(handled).toEqual(['o1: 1', 'o1: 2', 'o2: 1'])
  expect(tails.length).toBeGreaterThan(1)
  expect(tails).toEqual([...tails].sort())
  await h.close()
})

function isHeld(item: { readonly value: unknown }): boolean {
  return (item.value as { readonly state: string }).state === 'held'
}

test("a later owner's claim is not taken for a dead process's: a former one keeps its hands off", async () => {
  const h = await harness(app)
  h.fail('billing', { attempts: 1 })
  await h.append('orders', { key: 'a', id: 'o1', data: {} })
  await h.advance(50)
  const { table } = h.world.store
  const [failed] = [...table.items('ledger')]
  if (failed === undefined) throw new Error('nothing failed')
  const stored = failed.value as { readonly item: object }
  const claim = { claimedBy: '99:later', claimedUntilMs: h.clock.now() + 3_600_000 }
  table.put({ ...failed, value: { ...stored, item: { ...stored.item, ...claim } } }, 'any', h.clock.now(), 0)
  await h.advance('10m')
  expect([...table.items('ledger')]).toMatchObject([{ value: { item: { ...claim, attempts: 1 } } }])
  await h.close()
})
