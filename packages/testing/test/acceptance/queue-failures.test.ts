import { fixed, type LedgerItem } from '@eddy/core'
import { describe, expect, test } from 'vitest'
import type { Harness } from '../../src/index.ts'
import { oneQueue, task } from '../support/one-queue.ts'
import { openHarness } from '../support/one-subscription.ts'

const retry = fixed({ delayMs: 60_000, maxAttempts: 2 })

/** Takes no price below zero; the first message has one. */
async function withBadPrice(isGrouped: boolean): Promise<Harness> {
  const handle = (one: { readonly data: unknown }): void => {
    if ((one.data as { readonly cents: number }).cents < 0) throw new RangeError('a price below zero')
  }
  const failure = isGrouped ? ({ blocks: 'key', exhausted: 'hold', retry } as const) : { retry }
  const h = await openHarness(oneQueue(failure, { grouped: isGrouped, handle }))
  const data = (cents: number): object => ({ cents, group: 'a' })
  await h.send('tasks', [task('bad', { data: data(-5) }), task('good', { data: data(1) })])
  await h.settle()
  return h
}

async function onlyForPerson(h: Harness): Promise<LedgerItem> {
  const items = (await h.failures()).filter((item) => item.status === 'dead' || item.parked === true)
  expect(items).toHaveLength(1)
  return items[0] as LedgerItem
}

describe.each([false, true])('failures of a queue (grouped: %o)', (isGrouped) => {
  test('scenario 22 (queue): a failure is listed with its attempts and its group of like ones', async () => {
    const h = await withBadPrice(isGrouped)
    const item = await onlyForPerson(h)
    expect(item).toMatchObject({
      stream: 'queue/tasks',
      shardId: 'queue',
      eventId: 'bad',
      key: isGrouped ? 'a' : 'bad',
      attempts: 2,
      history: [{ path: 'live' }, { path: 'retry' }],
    })
    expect(await h.operations.failureGroups({})).toMatchObject([{ errorType: 'RangeError', count: 1 }])
  })

  test('scenario 24 (queue): an edit has a new id that is linked; the original is resolved, the group goes on', async () => {
    const h = await withBadPrice(isGrouped)
    const original = await onlyForPerson(h)
    const { payload } = await h.operations.showFailure(original.id)
    const envelope = JSON.parse(payload?.content as string) as Record<string, unknown>
    const corrected = JSON.stringify({ ...envelope, data: { cents: 5, group: 'a' } })
    const result = await h.operations.editFailure(original.id, new TextEncoder().encode(corrected))
    expect(result.item).toMatchObject({ editOf: original.id, eventId: 'bad~edit1' })
    await h.settle()
    expect(await h.operations.showSubscription('work')).toMatchObject({ dead: 0, held: 0, heldKeys: 0 })
    const handled = h.calls('work').filter((call) => call.outcome === 'ok')
    expect(handled.map((call) => call.eventId)).toEqual(
      isGrouped ? ['bad~edit1', 'good'] : ['good', 'bad~edit1'],
    )
  })

  test('scenario 25 (queue): a redrive tries again, with attempts that begin anew', async () => {
    const h = await withBadPrice(isGrouped)
    const original = await onlyForPerson(h)
    await h.operations.startRedrive({ ids: [original.id] }, { by: 'ada' })
    await h.settle()
    expect(await onlyForPerson(h)).toMatchObject({ id: original.id, attempts: 4, redrives: [{ by: 'ada' }] })
  })
})

test('blocks may change while messages wait: what is held comes in order, and what comes later too (I2, I3)', async () => {
  const h = await openHarness(oneQueue({ blocks: 'key', exhausted: 'dead-letter', retry }, { grouped: true }))
  const grouped = (id: string) => ({ id, data: { group: 'a' } })
  h.fail('work', { eventId: 'a1', times: 1 })
  await h.send('tasks', [grouped('a1'), grouped('a2')])
  await h.advance('1s')
  await h.operations.changePolicy('work', {
    set: { 'failure.blocks': 'nothing', 'failure.exhausted': 'dead-letter' },
  })
  await h.send('tasks', grouped('a3'))
  await h.settle()
  expect([...h.order('work', 'a')].sort()).toEqual(['a1', 'a2', 'a3'])
  expect(h.order('work', 'a').indexOf('a1')).toBeLessThan(h.order('work', 'a').indexOf('a2'))
  await h.operations.changePolicy('work', {
    set: { 'failure.blocks': 'key', 'failure.exhausted': 'dead-letter' },
  })
  h.fail('work', { eventId: 'b1', times: 1 })
  await h.send('tasks', [grouped('b1'), grouped('b2')])
  await h.settle()
  expect(h.order('work', 'a').slice(3)).toEqual(['b1', 'b2'])
  expect(await h.operations.showSubscription('work')).toMatchObject({ held: 0, heldKeys: 0, retrying: 0 })
})
