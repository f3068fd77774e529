import { expect, test } from 'vitest'
import { HandOver } from '../../src/fail/hand-over.ts'
import { Sweeper } from '../../src/fail/sweeper.ts'
import { OneKey } from './support/one-key.ts'

const sweep = (key: OneKey) => new Sweeper(key.parts, new HandOver(key.parts)).sweep()

test('what a former owner wrote late to wait where nothing is held is handled by itself (rule 10)', async () => {
  const key = new OneKey()
  const { item } = await key.enter(1, { updatedAtMs: 0 })
  await sweep(key)
  expect(key.tokens.map((body) => JSON.parse(body))).toEqual([{ kind: 'item', id: item.id }])
})

test('what waits for a person, or behind an event of its held key, is left to them (rule 10)', async () => {
  const key = new OneKey()
  await key.hold(1, 2)
  await key.enter(1, { parked: true, updatedAtMs: 0 })
  await key.enter(2, { updatedAtMs: 0 })
  await sweep(key)
  expect(key.tokens).toEqual([])
})

test('I9: a token is sent though the queue holds as many as there are to be: they may be of what is done with', async () => {
  const key = new OneKey()
  for (const n of [1, 2, 3]) await key.enter(n, { status: 'retrying', dueAtMs: 0, updatedAtMs: 0 })
  key.depth = 3
  await sweep(key)
  expect(key.tokens.length).toBe(1)
  key.depth = 1
  await sweep(key)
  expect(key.tokens.length).toBe(1 + 2)
})
