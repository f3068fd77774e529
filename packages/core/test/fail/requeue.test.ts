import { expect, test } from 'vitest'
import { Requeue } from '../../src/fail/requeue.ts'
import { ShardGate } from '../../src/fail/shard-gate.ts'
import { OneKey } from './support/one-key.ts'

const job = { jobId: 'job-1', by: 'ann', allowOutOfOrder: false }
const redrives = [{ jobId: job.jobId, by: job.by, atMs: 1 }]

function requeueOf(key: OneKey): Requeue {
  const drain = key.drain()
  return new Requeue(key.parts, new ShardGate(key.parts, drain), drain)
}

test('a redrive that starts again does not queue anew what it had queued and what died again since (I8)', async () => {
  const key = new OneKey()
  const entry = await key.enter(1, { status: 'dead', redrives })
  const again = await requeueOf(key).requeue(entry, { ...job, allowOutOfOrder: true })
  expect(again).toEqual({ kind: 'already' })
  expect(await key.item(1)).toMatchObject({ status: 'dead', redrives })
  expect(key.tokens).toEqual([])
})

test('a dead event that is put back into its held key stops a release on its way (I3)', async () => {
  const key = new OneKey()
  const held = await key.hold(1, 2)
  if (!held.ok) throw new Error('it was not held')
  const entry = await key.enter(1, { status: 'dead' })
  expect(await requeueOf(key).requeue(entry, job)).toMatchObject({ kind: 'queued' })
  // It was planned while nothing was left to do there, and arrives now.
  expect(await key.parts.holds.release('a', held.entry)).toMatchObject({ ok: false })
  expect(key.tokens).toHaveLength(1)
})

test('a redrive that died between its writes stops a release on its way when it starts again (I3)', async () => {
  const key = new OneKey()
  const held = await key.hold(1, 2)
  if (!held.ok) throw new Error('it was not held')
  const entry = await key.enter(1, { status: 'retrying', deliveries: 0, redrives })
  expect(await requeueOf(key).requeue(entry, job)).toEqual({ kind: 'already' })
  // It was planned before the event was put back, and arrives now.
  expect(await key.parts.holds.release('a', held.entry)).toMatchObject({ ok: false })
  expect(key.tokens).toHaveLength(1)
})

test('a redrive that starts again gives its event back where the release came first (I3)', async () => {
  const key = new OneKey()
  const held = await key.hold(1, 2)
  if (!held.ok) throw new Error('it was not held')
  const entry = await key.enter(1, { status: 'retrying', deliveries: 0, redrives })
  await key.parts.holds.release('a', held.entry)
  const again = await requeueOf(key).requeue(entry, job)
  expect(again).toEqual({ kind: 'refused', reason: 'out-of-order' })
  expect(await key.item(1)).toMatchObject({ status: 'dead', redrives: [] })
})
