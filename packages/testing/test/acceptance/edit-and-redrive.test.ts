import { EditConflictError, type FailureOptions, fixed, type LedgerItem, outcome } from '@eddy/core'
import { describe, expect, test } from 'vitest'
import type { Harness } from '../../src/index.ts'
import { event, oneSubscription, openHarness } from '../support/one-subscription.ts'

const retry = fixed({ delayMs: 60_000, maxAttempts: 3 })
const choices: readonly FailureOptions[] = [
  { blocks: 'nothing', retry },
  { blocks: 'key', exhausted: 'hold', retry },
  { blocks: 'key', exhausted: 'dead-letter', retry },
  { blocks: 'shard', exhausted: 'hold', retry },
]

/** An application that takes no price below zero, and whose first order has one. */
async function withBadPrice(failure: FailureOptions, more: readonly string[] = []): Promise<Harness> {
  const handle = (one: { readonly data: unknown }): void => {
    if ((one.data as { cents: number }).cents < 0) throw new RangeError('a price below zero')
  }
  const h = await openHarness(oneSubscription(failure, { handle }))
  await h.append('events', [
    event('a', 'a1', { cents: -5 }),
    ...more.map((id) => event('a', id, { cents: 1 })),
  ])
  await h.settle()
  return h
}

async function onlyForPerson(h: Harness): Promise<LedgerItem> {
  const items = (await h.failures()).filter((item) => item.status === 'dead' || item.parked === true)
  expect(items).toHaveLength(1)
  return items[0] as LedgerItem
}

async function edited(h: Harness, item: LedgerItem, cents: number): Promise<Uint8Array> {
  const { payload } = await h.operations.showFailure(item.id)
  const envelope = JSON.parse(payload?.content as string) as Record<string, unknown>
  return new TextEncoder().encode(JSON.stringify({ ...envelope, data: { cents } }))
}

describe('edit and redrive', () => {
  test.each(choices)(
    'scenario 24: an edit has a new id that is linked; the original is resolved (%o)',
    async (failure) => {
      const h = await withBadPrice(failure, ['a2'])
      const original = await onlyForPerson(h)
      const result = await h.operations.editFailure(original.id, await edited(h, original, 5), {
        by: 'carol',
        allowOutOfOrder: true,
      })
      expect(result.item).toMatchObject({ editOf: original.id, key: 'a' })
      expect(result.item.id).not.toBe(original.id)
      expect(result.original).toMatchObject({ status: 'resolved', editedBy: result.item.id })
      await h.settle()
      expect((await h.operations.showFailure(result.item.id)).item.status).toBe('resolved')
      const handled = h.calls('work').filter((call) => call.outcome === 'ok')
      expect(handled.map((call) => call.event.data)).toContainEqual({ cents: 5 })
      expect(new Set(h.calls('work').map((call) => call.eventId)).size).toBe(3)
      // In its place where the key was held (I3).
      if (failure.exhausted === 'hold') expect(h.order('work', 'a')).toEqual([result.item.eventId, 'a2'])
      expect(await h.operations.showSubscription('work')).toMatchObject({ dead: 0, held: 0, retrying: 0 })
    },
  )

  test.each(choices)(
    'scenario 24: an edit that fails is a new entry with attempts of its own (%o)',
    async (failure) => {
      const h = await withBadPrice(failure)
      const original = await onlyForPerson(h)
      const result = await h.operations.editFailure(original.id, await edited(h, original, -6), {
        allowOutOfOrder: true,
      })
      await h.settle()
      const again = await onlyForPerson(h)
      expect(again).toMatchObject({
        id: result.item.id,
        editOf: original.id,
        lastError: { type: 'RangeError' },
      })
      expect((await h.operations.showFailure(original.id)).item.status).toBe('resolved')
      expect(h.attempts('work', 'a1')).toBe(3)
    },
  )

  test('scenario 24: of two concurrent edits one is refused, and told so; only one is handled (I9)', async () => {
    const h = await withBadPrice({ retry })
    const original = await onlyForPerson(h)
    const payloads = [await edited(h, original, 5), await edited(h, original, 6)]
    const results = await Promise.allSettled(
      payloads.map((payload) => h.operations.editFailure(original.id, payload)),
    )
    const refused = results.filter((result) => result.status === 'rejected')
    expect(refused).toHaveLength(1)
    expect(refused[0]?.reason).toBeInstanceOf(EditConflictError)
    await h.settle()
    expect(h.calls('work').filter((call) => call.outcome === 'ok')).toHaveLength(1)
    const later = h.operations.editFailure(original.id, payloads[1] as Uint8Array)
    await expect(later).rejects.toThrow(EditConflictError)
  })

  test('scenario 25: a redrive by source and limit takes the oldest, counts attempts anew, keeps key and policy (I8)', async () => {
    const h = await openHarness(oneSubscription({ retry }))
    h.fail('work')
    for (const id of ['e1', 'e2', 'e3', 'e4', 'e5']) {
      await h.append('events', event(`key-of-${id}`, id))
      await h.advance('1s')
    }
    await h.settle()
    expect(await h.operations.planRedrive({ subscription: 'work' }, { limit: 2 })).toMatchObject({ count: 2 })
    const job = await h.operations.startRedrive({ subscription: 'work' }, { limit: 2, by: 'carol' })
    expect(job).toMatchObject({ total: 2 })
    await h.settle()
    const redriven = h.calls('work').filter((call) => call.path === 'redrive')
    expect(redriven.map((call) => call.eventId).sort()).toEqual(['e1', 'e1', 'e1', 'e2', 'e2', 'e2'])
    expect(redriven.every((call) => call.key === `key-of-${call.eventId}`)).toBe(true)
    const dead = await h.deadLetters('work')
    expect(dead).toHaveLength(5)
    const attempts = Object.fromEntries(dead.map((item) => [item.eventId, item.attempts]))
    expect(attempts).toEqual({ e1: 6, e2: 6, e3: 3, e4: 3, e5: 3 })
    expect(dead.find((item) => item.eventId === 'e1')?.redrives).toMatchObject([
      { by: 'carol', jobId: job.id },
    ])
  })

  test('scenario 25: two redrives of the same events collide, and no event is lost or handled twice (I8, I9)', async () => {
    const h = await openHarness(oneSubscription({ retry }))
    const undo = h.fail('work')
    await h.append('events', [event('a', 'a1'), event('b', 'b1'), event('c', 'c1')])
    await h.settle()
    undo()
    const jobs = await Promise.all([
      h.operations.startRedrive({ subscription: 'work' }),
      h.operations.startRedrive({ subscription: 'work' }),
    ])
    await h.settle()
    const ended = await Promise.all(jobs.map((job) => h.operations.showRedrive(job.id)))
    expect(ended.map((job) => job.state)).toEqual(['done', 'done'])
    expect(ended.map((job) => job.enqueued + job.skipped)).toEqual([3, 3])
    expect(h.calls('work').filter((call) => call.path === 'redrive' && call.outcome === 'ok')).toHaveLength(3)
    expect(await h.deadLetters('work')).toEqual([])
    expect(await h.resolved('work')).toHaveLength(3)
  })

  test('scenario 25: an event that dies in the middle of its redrive is redriven by the next process (I8)', async () => {
    const h = await openHarness(oneSubscription({ retry }))
    const undo = h.fail('work', { error: () => outcome.deadLetter('closed') })
    await h.append(
      'events',
      Array.from({ length: 50 }, (_, n) => event(`k${n}`, `e${n}`)),
    )
    await h.settle()
    undo()
    h.delay('work', { by: '10s', times: 3 })
    const job = await h.operations.startRedrive({ subscription: 'work' }, { ratePerSecond: 10 })
    await h.advance('2500ms')
    await h.crash()
    await h.settle()
    expect(await h.operations.showRedrive(job.id)).toMatchObject({ state: 'done', enqueued: 50, skipped: 0 })
    expect(await h.deadLetters('work')).toEqual([])
    const handled = h.calls('work').filter((call) => call.outcome === 'ok')
    expect(new Set(handled.map((call) => call.eventId)).size).toBe(50)
  })
})
