import { expect, test } from 'vitest'
import { OneKey } from './support/one-key.ts'

const HOUR_MS = 3_600_000

test("what ends before its time takes its timers back, its own and its lane's", async () => {
  const key = new OneKey()
  const dueAtMs = key.parts.engine.clock.now() + 20 * HOUR_MS
  const entry = await key.enter(1, { status: 'retrying', dueAtMs })
  await key.drain().giveUp(entry)
  expect((await key.item(1))?.status).toBe('dead')
  expect(key.cancelled.map((timer) => JSON.parse(timer))).toEqual([
    { kind: 'item', id: entry.item.id },
    { kind: 'lane', key: 'a' },
  ])
})

test('nothing is taken back for what was due, nor for what goes on waiting', async () => {
  const key = new OneKey()
  const nowMs = key.parts.engine.clock.now()
  await key.drain().giveUp(await key.enter(1, { status: 'retrying', dueAtMs: nowMs }))
  const waiting = await key.enter(2, { status: 'retrying', dueAtMs: nowMs + HOUR_MS })
  await key.parts.ledger.replace(waiting, { ...waiting.item, dueAtMs: nowMs + 2 * HOUR_MS })
  expect(key.cancelled).toEqual([])
})

test('a timer that cannot be taken back stops nothing', async () => {
  const key = new OneKey()
  Object.assign(key.parts.engine.queue, { cancel: async () => Promise.reject(new Error('throttled')) })
  const dueAtMs = key.parts.engine.clock.now() + HOUR_MS
  await key.drain().giveUp(await key.enter(1, { status: 'retrying', dueAtMs }))
  expect((await key.item(1))?.status).toBe('dead')
})
