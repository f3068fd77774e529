import { defineApp, fixed, list, subscribe } from '@eddy/core'
import { describe, expect, test } from 'vitest'
import type { Harness } from '../../src/index.ts'
import { event, eventStream, events, oneSubscription, openHarness } from '../support/one-subscription.ts'

const retry = fixed({ delayMs: 60_000, maxAttempts: 2 })

describe('dead letters', () => {
  test('scenario 22: similar failures form one group', async () => {
    const h = await openHarness(oneSubscription({ retry }))
    let number = 0
    h.fail('work', {
      error: () => {
        number += 1
        return new RangeError(
          `order ${number} of member 3f2504e0-4f89-11d3-9a0c-0305e82c330${number % 10} is too large`,
        )
      },
    })
    await h.append('events', events(30, 30))
    await h.settle()
    const groups = await h.operations.failureGroups({ subscription: 'work', status: 'dead' })
    expect(groups).toMatchObject([{ count: 30, errorType: 'RangeError', subscription: 'work' }])
  })

  test('scenario 22: a new exception moves the entry to another group', async () => {
    const h = await openHarness(oneSubscription({ retry }))
    const undo = h.fail('work', { error: () => new TypeError('no price') })
    await h.append('events', event('a', 'a1'))
    await h.advance('30s')
    const group = async () => (await h.operations.failureGroups({})).map((one) => [one.errorType, one.count])
    expect(await group()).toEqual([['TypeError', 1]])
    undo()
    h.fail('work', { error: () => new RangeError('no stock') })
    await h.settle()
    expect(await group()).toEqual([['RangeError', 1]])
    const [dead] = await h.deadLetters('work')
    expect(dead?.history.map((attempt) => attempt.error?.type)).toEqual(['TypeError', 'RangeError'])
  })

  test('scenario 22: one event that fails in two subscriptions is two entries (I4)', async () => {
    const stream = eventStream(1)
    const app = defineApp({
      subscriptions: [
        subscribe('billing', stream, { failure: { retry }, handle: () => {} }),
        subscribe('mail', stream, { failure: { retry }, handle: () => {} }),
        subscribe('stock', stream, { failure: { retry }, handle: () => {} }),
      ],
    })
    const h = await openHarness(app)
    h.fail('billing')
    h.fail('mail')
    await h.append('events', event('a', 'a1'))
    await h.settle()
    const dead = await h.failures({ status: 'dead' })
    expect(dead.map((item) => [item.subscription, item.eventId]).sort()).toEqual([
      ['billing', 'a1'],
      ['mail', 'a1'],
    ])
    expect(h.order('stock', 'a')).toEqual(['a1'])
    h.heal('billing')
    await h.operations.startRedrive({ subscription: 'billing' })
    await h.settle()
    expect((await h.failures({ status: 'dead' })).map((item) => item.subscription)).toEqual(['mail'])
    expect(h.attempts('mail', 'a1')).toBe(2)
  })

  test('scenario 23: a redrive of a group skips archived entries (I8)', async () => {
    const h = await twoGroups()
    const [target] = await h.operations.failureGroups({ subscription: 'work' })
    const fingerprint = target?.fingerprint as string
    const members = await h.failures({ fingerprint, status: 'dead' })
    const archived = members.slice(0, 3).map((item) => item.id)
    expect(await h.operations.archiveFailures({ ids: archived })).toMatchObject({ changed: 3 })
    h.heal('work')
    const job = await h.operations.startRedrive({ fingerprint })
    expect(job.total).toBe(members.length - 3)
    await h.settle()
    expect((await h.failures({ status: 'archived' })).map((item) => item.id).sort()).toEqual(archived.sort())
    expect(await h.resolved('work')).toHaveLength(members.length - 3)
    expect(await h.failures({ fingerprint, status: 'dead' })).toEqual([])
    expect(await h.deadLetters('work')).toHaveLength(20 - members.length)
  })

  test('scenario 23: one undeliverable target does not stop later ones (I8, I9)', async () => {
    // Larger than what lies in the ledger item itself.
    const h = await twoGroups('x'.repeat(2_000))
    const [first, second] = [...(await h.deadLetters('work'))].reverse()
    // Its payload was removed by hand.
    const payload = h.world.store
      .allItems()
      .find((item) => item.partition.startsWith('payload/') && first?.id.endsWith(item.sort) === true)
    if (payload === undefined) throw new Error('the first dead letter has no payload')
    h.world.store.table.delete(payload, 'any', h.clock.now(), h.clock.now())
    h.heal('work')
    const job = await h.operations.startRedrive({ subscription: 'work' })
    await h.settle()
    expect(await h.operations.showRedrive(job.id)).toMatchObject({
      state: 'done',
      total: 20,
      enqueued: 19,
      skipped: 1,
      skippedByReason: { 'payload-missing': 1 },
    })
    expect(await h.deadLetters('work')).toMatchObject([{ id: first?.id }])
    expect((await h.resolved('work')).map((item) => item.id)).toContain(second?.id)
  })
})

/** Twenty dead letters of two groups. */
async function twoGroups(data?: string): Promise<Harness> {
  const h = await openHarness(oneSubscription({ retry: list([]) }))
  h.fail('work', { type: 'big', error: () => new RangeError('too large') })
  h.fail('work', { type: 'odd', error: () => new TypeError('no price') })
  await h.append(
    'events',
    events(20, 20).map((one, index) => ({
      ...one,
      type: index % 4 === 0 ? 'odd' : 'big',
      ...(data !== undefined && { data }),
    })),
  )
  await h.settle()
  return h
}
