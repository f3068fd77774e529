import { fixed } from '@eddy/core'
import { describe, expect, test } from 'vitest'
import type { Harness } from '../../src/index.ts'
import { putAggregate, putEvent, type UserEvent } from '../support/aggregates.ts'
import { oneSubscription, openHarness } from '../support/one-subscription.ts'

const PATIENT = {
  blocks: 'key',
  exhausted: 'hold',
  retry: fixed({ delayMs: 1_000, maxAttempts: 3 }),
} as const

function marked(key: string, sequence: number, producer = 'p.0'): UserEvent {
  return { key, id: `${key}-${producer}-${sequence}`, mark: [producer, sequence] }
}

function handled(h: Harness): string[] {
  return h
    .calls('work')
    .filter(({ outcome }) => outcome === 'ok')
    .map(({ eventId }) => eventId)
    .sort()
}

describe('copies of a marked record', () => {
  test('are dropped before the handler, alone and within aggregates; counted', async () => {
    const h = await openHarness(oneSubscription({}))
    await putEvent(h, marked('a', 0))
    await putAggregate(h, [marked('a', 0), marked('b', 1)])
    await putAggregate(h, [marked('b', 1), marked('c', 2), marked('c', 2)])
    await putEvent(h, marked('c', 2))
    await putEvent(h, { ...marked('a', 0, 'p.1'), id: 'of another producer' })
    await h.settle()
    expect(handled(h)).toEqual(['a-p.0-0', 'b-p.0-1', 'c-p.0-2', 'of another producer'])
    expect(await h.operations.metrics()).toContain('eddy_copies_dropped_total{subscription="work"} 4')
    expect(await h.operations.showSubscription('work')).toMatchObject({ copies: 4 })
  })

  test('events without a mark are never taken for copies, however alike they are', async () => {
    const h = await openHarness(oneSubscription({}))
    for (let time = 0; time < 3; time += 1) await putEvent(h, { key: 'a', id: 'same' })
    await h.settle()
    expect(handled(h)).toEqual(['same', 'same', 'same'])
  })

  test('an original that is replayed after a crash is handled; its copy is not (I2)', async () => {
    const h = await openHarness(oneSubscription(PATIENT, { concurrency: 1 }))
    h.delay('work', { by: '10m' })
    await putEvent(h, marked('a', 0))
    await putEvent(h, marked('a', 0))
    // A checkpoint is saved with the original open and its copy done.
    await h.advance('5s')
    expect(handled(h)).toEqual([])
    await h.crash({ restart: false })
    h.heal('work')
    await h.restart()
    await h.settle()
    expect(handled(h)).toEqual(['a-p.0-0'])
    expect(h.calls('work').map(({ outcome }) => outcome)).toEqual(['crashed', 'ok'])
  })

  test('a copy that comes after a restart is known by what the checkpoint kept', async () => {
    const h = await openHarness(oneSubscription(PATIENT))
    await putEvent(h, marked('a', 0))
    await h.settle()
    await h.advance('2s')
    await h.crash()
    await putEvent(h, marked('a', 0))
    await h.settle()
    expect(handled(h)).toEqual(['a-p.0-0'])
  })

  test('a copy of what was done before a crash, beyond something that was not, is dropped (K1)', async () => {
    const h = await openHarness(oneSubscription(PATIENT))
    h.delay('work', { by: '10m', eventId: 'slow' })
    await putEvent(h, { key: 's', id: 'slow' })
    await putEvent(h, marked('a', 0))
    await h.advance('3s')
    expect(handled(h)).toEqual(['a-p.0-0'])
    await h.crash({ restart: false })
    h.heal('work')
    await putEvent(h, marked('a', 0))
    await h.restart()
    await h.settle()
    expect(handled(h)).toEqual(['a-p.0-0', 'slow'])
  })

  test('an original that failed is retried; its copy does not take its place or follow it (I3)', async () => {
    const h = await openHarness(oneSubscription(PATIENT))
    h.fail('work', { eventId: 'a-p.0-0', times: 2 })
    await putEvent(h, marked('a', 0))
    await putEvent(h, marked('a', 1))
    await putEvent(h, marked('a', 0))
    await putEvent(h, marked('a', 1))
    await h.settle()
    expect(h.order('work', 'a')).toEqual(['a-p.0-0', 'a-p.0-1'])
  })

  test('a copy in the child of a split, of an original in its parent, is dropped; also after a crash', async () => {
    const h = await openHarness(oneSubscription(PATIENT))
    await putEvent(h, marked('a', 0))
    await putAggregate(h, [marked('b', 1)])
    await h.operations.splitShard('events', 'shardId-000000000000')
    await putEvent(h, marked('a', 0))
    await h.settle()
    await h.advance('2s')
    await h.crash()
    await putEvent(h, marked('b', 1))
    await putEvent(h, marked('b', 2))
    await h.settle()
    expect(handled(h)).toEqual(['a-p.0-0', 'b-p.0-1', 'b-p.0-2'])
  })

  test('after a seek everything is read again, the copies dropped again', async () => {
    const h = await openHarness(oneSubscription({}))
    await putEvent(h, marked('a', 0))
    await putEvent(h, marked('a', 0))
    await h.settle()
    await h.operations.seekSubscription('work', { at: 'trim_horizon' })
    await h.settle()
    expect(handled(h)).toEqual(['a-p.0-0', 'a-p.0-0'])
  })
})
