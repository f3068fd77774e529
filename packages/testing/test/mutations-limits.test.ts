import { describe, expect, test } from 'vitest'
import { quietFaults } from '../src/index.ts'
import { events, oneSubscription, openHarness } from './support/one-subscription.ts'

/** Records that may be taken in before a checkpoint knows of them. */
const UNSAVED = 1_024

describe('limits that no seed of the simulation is long enough for', () => {
  test('without a durable checkpoint intake stops, and goes on when there is one again (I6, C3)', async () => {
    const h = await openHarness(oneSubscription({}, { concurrency: 50, maxBufferedRecords: 20_000 }))
    await h.settle()
    h.world.faults = { ...quietFaults, writeRejected: 1, rejectedTookEffectShare: 0 }
    await h.append('events', events(3_000, 3_000))
    await h.advance('10s')
    const atLimit = h.calls('work').length
    expect(atLimit).toBeGreaterThan(0)
    expect(atLimit).toBeLessThanOrEqual(UNSAVED)
    h.world.faults = quietFaults
    await h.settle()
    expect(h.calls('work')).toHaveLength(3_000)
  })
})
