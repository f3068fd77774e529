import { expect, test } from 'vitest'
import type { LedgerEntry } from '../../src/fail/ledger.ts'
import { at, OneKey } from './support/one-key.ts'

test('a tail that comes into the ledger after the look that found nothing keeps its key held (rule 6)', async () => {
  const key = new OneKey()
  await key.hold(1, 2)
  await key.enter(1, { status: 'resolved' })
  key.table.meanwhile = { partition: key.partitions.ledger, happens: () => key.enter(2, {}) }
  expect(await key.drain().drain('a', 0)).toMatchObject({ kind: 'wait' })
  expect(key.tried).toEqual(['e2'])
  expect(await key.parts.holds.read('a')).toMatchObject({ hold: { state: 'held' } })
})

test('a key waits for its tail to come into the ledger, unless the checkpoint is past it (rule 6)', async () => {
  const key = new OneKey()
  await key.hold(1, 2)
  await key.enter(1, { status: 'resolved' })
  expect(await key.drain().drain('a', 0)).toEqual({ kind: 'soon' })
  expect(await key.parts.holds.read('a')).toMatchObject({ hold: { state: 'held' } })
  // It was handled well by a later reader: nobody will write it any more.
  key.isPassed = true
  expect(await key.drain().drain('a', 0)).toEqual({ kind: 'released' })
  expect(await key.parts.holds.read('a')).toMatchObject({ hold: { state: 'open' } })
})

test('what was handled before a former owner wrote late that it waits is not handled before what failed (rule 3a)', async () => {
  const key = new OneKey(2)
  const former = key.holdsOf(1)
  await key.hold(1, 3, former)
  await key.enter(1, {})
  // The owner handled the first event well before that, and now fails at the second.
  await key.parts.holds.load()
  await key.hold(2, 2)
  await key.enter(2, { status: 'retrying' })
  await key.drain().drain('a', 0)
  expect(key.tried).toEqual(['e2'])
  expect(await key.parts.holds.read('a')).toMatchObject({ hold: { lo: at(2), tail: at(3) } })
})

test('a cut waits for an event whose handler runs, since a person sent it out of order (I3)', async () => {
  const key = new OneKey(2)
  const untilMs = key.parts.engine.clock.now() + 5_000
  await key.hold(1, 3)
  await key.enter(1, { cutting: true })
  await key.enter(2, {
    status: 'retrying',
    claimedBy: '2:redrive',
    claimedUntilMs: untilMs,
    outOfOrder: true,
  })
  // A dead process's claim says nothing of a handler.
  await key.enter(3, {
    status: 'retrying',
    claimedBy: '1:redrive',
    claimedUntilMs: untilMs,
    outOfOrder: true,
  })
  expect(await key.drain().drain('a', 0)).toEqual({ kind: 'wait', untilMs })
  expect([(await key.item(1))?.status, (await key.item(2))?.status]).toEqual(['dead', 'retrying'])
  const claimed = (await key.parts.ledger.get(key.lane, at(2))) as LedgerEntry
  await key.parts.ledger.replace(claimed, { ...claimed.item, status: 'resolved' })
  expect(await key.drain().drain('a', 0)).toEqual({ kind: 'released' })
  expect((await key.item(3))?.status).toBe('dead')
})

test('an event that another process sent again in its place is tried before those behind it (I3)', async () => {
  const key = new OneKey()
  Object.assign(key.parts, { owner: { isShared: true } })
  await key.hold(1, 3)
  const first = await key.enter(1, { status: 'dead' })
  await key.enter(2, { status: 'retrying' })
  const drain = key.drain()
  await drain.drain('a', 0)
  expect(key.tried).toEqual(['e2'])
  // Nothing is told to this process: the ledger, and then the hold, say it.
  const elsewhere = key.holdsOf(1)
  await elsewhere.load()
  await key.parts.ledger.replace(first, { ...first.item, status: 'retrying' })
  const held = await elsewhere.lookup('a')
  if (held === undefined) throw new Error('it is not held')
  expect(await elsewhere.touch('a', held)).toMatchObject({ ok: true })
  await drain.drain('a', 0)
  expect(key.tried).toEqual(['e2', 'e1'])
})
