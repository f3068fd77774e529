import { type Observed, type SubscriptionMetrics, silentLogger } from '@eddy/core'
import { VirtualClock } from '@eddy/testing'
import { expect, it } from 'vitest'
import { tellMetrics } from '../../src/engine/index.ts'

const MINUTE_MS = 60_000

it('a worker tells what it counted each minute, once, and what waits; and the rest when it stops', async () => {
  const clock = new VirtualClock({ seed: 1 })
  const stopping = new AbortController()
  const handled = { ok: 0, retry: 0, dead: 0, held: 0, dropped: 0 }
  const metrics = { handled, retries: 0 } as unknown as SubscriptionMetrics
  let oldestWaitMs = 0
  let isDown = false
  const lines: string[] = []
  const told = () =>
    lines.splice(0).map((line) => {
      const { _aws, ...values } = JSON.parse(line) as Record<string, unknown>
      expect(_aws).toMatchObject({
        CloudWatchMetrics: [{ Namespace: 'Eddy', Dimensions: [['Application', 'Subscription']] }],
      })
      return values
    })
  const telling = tellMetrics({
    application: 'shop',
    runtime: {
      observe: async (): Promise<readonly Observed[]> => {
        if (isDown) throw new Error('the table does not answer')
        return [{ subscription: 'billing', metrics, heldKeys: 1, oldestWaitMs }]
      },
    },
    clock,
    logger: silentLogger,
    write: (line) => void lines.push(line),
    signal: stopping.signal,
  })
  const who = { Application: 'shop', Subscription: 'billing' }

  handled.ok = 5
  handled.dead = 1
  oldestWaitMs = 7_200_000
  await clock.advance(MINUTE_MS)
  expect(told()).toEqual([
    { ...who, Handled: 5, FailedAttempts: 1, DeadLetters: 1, HeldKeys: 1, OldestRetry: 7_200 },
  ])
  // Nothing new but what stands; then nothing at all while it cannot be asked, and nothing is forgotten.
  oldestWaitMs = 0
  await clock.advance(MINUTE_MS)
  expect(told()).toEqual([{ ...who, HeldKeys: 1, OldestRetry: 0 }])
  isDown = true
  handled.dead = 3
  await clock.advance(MINUTE_MS)
  expect(told()).toEqual([])
  isDown = false
  handled.ok = 6
  stopping.abort()
  await telling
  expect(told()).toEqual([
    { ...who, Handled: 1, FailedAttempts: 2, DeadLetters: 2, HeldKeys: 1, OldestRetry: 0 },
  ])
})
