import { type FailureOptions, fixed } from '@eddy/core'
import { describe, expect, test } from 'vitest'
import type { Harness } from '../../src/index.ts'
import { event, events, oneSubscription, openHarness } from '../support/one-subscription.ts'

const retry = fixed({ delayMs: 1_000, maxAttempts: 100 })
const EVERY: readonly FailureOptions[] = [
  { blocks: 'nothing', retry },
  { blocks: 'key', exhausted: 'dead-letter', retry },
  { blocks: 'shard', exhausted: 'dead-letter', retry },
]

describe('a handler that takes the process down', () => {
  test.each(EVERY)(
    'does so a few times; then its event is given up as crashed, and the rest is handled (%o, I2, I9)',
    async (failure) => {
      let h: Harness | undefined
      const handle = (one: { readonly id: string }): unknown => {
        if (one.id !== 'poison') return undefined
        h?.world.crash()
        return new Promise(() => {})
      }
      h = await openHarness(oneSubscription(failure, { handle, concurrency: 8 }))
      await h.append('events', [...events(40, 8), event('a', 'poison'), event('a', 'a2'), ...events(40, 8)])
      let deaths = 0
      for (; deaths < 20; deaths += 1) {
        await h.advance('1m')
        if (h.world.runningCount > 0) break
        await h.restart()
      }
      expect(deaths).toBeGreaterThanOrEqual(3)
      expect(deaths).toBeLessThanOrEqual(6)
      await h.settle()
      expect(await h.deadLetters('work')).toMatchObject([
        { eventId: 'poison', lastError: { code: 'EDDY_HANDLER_CRASHED' } },
      ])
      expect(h.order('work', 'a')).toEqual(['a2'])
      expect(
        new Set(
          h
            .calls('work')
            .filter((call) => call.outcome === 'ok')
            .map((call) => call.eventId),
        ).size,
      ).toBe(41)
    },
  )
})
