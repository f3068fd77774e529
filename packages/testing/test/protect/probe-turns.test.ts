import { type FailureOptions, fixed } from '@eddy/core'
import { describe, expect, test } from 'vitest'
import { events, oneSubscription, openHarness } from '../support/one-subscription.ts'

const EVENTS = 60
const breaker = { window: 20, pauseMs: 2_000, maxPauseMs: 2_000 }

// Retries are due long before the breaker probes: those that just failed would always be the first in their queue.
const retry = fixed({ delayMs: 50, maxAttempts: 5 })
const policies: readonly FailureOptions[] = [
  { blocks: 'nothing', retry },
  { blocks: 'key', exhausted: 'dead-letter', retry },
]

describe('who is a probe', () => {
  for (const failure of policies) {
    test(`an outage takes its probes in turn from all that wait, so it kills none of them (blocks: ${failure.blocks})`, async () => {
      const h = await openHarness(oneSubscription(failure, { concurrency: EVENTS, protect: { breaker } }))
      const heal = h.fail('work')
      h.delay('work', { by: 20 })
      await h.append('events', events(EVENTS, EVENTS))
      await h.advance('60s')
      const attempts = new Map<string, number>()
      for (const { eventId, attempt } of h.calls('work')) attempts.set(eventId, attempt)
      const most = Math.max(...attempts.values())
      expect(most).toBeGreaterThan(1)
      expect(most - Math.min(...attempts.values())).toBeLessThanOrEqual(1)
      heal()
      await h.settle()
      expect(await h.deadLetters('work')).toEqual([])
    })
  }
})
