import { expect, test } from 'vitest'
import { RetryPath } from '../../src/fail/retry-path.ts'
import { Mutex } from '../../src/runtime/mutex.ts'
import type { SubscriptionParts } from '../../src/runtime/subscription-parts.ts'
import { OneKey } from './support/one-key.ts'

/** Whether a retry that `hasWaited` for its slot comes as far as to begin; it goes no further. */
async function begins(lane: {
  readonly hasWaited: boolean
  readonly isStillFirst: boolean
}): Promise<boolean> {
  const key = new OneKey()
  await key.hold(1, 2)
  const entry = await key.enter(2, { status: 'retrying' })
  let hasBegun = false
  const parts = {
    ...key.parts,
    policy: { failure: { blocks: 'key', maxCrashes: 3 } },
    pause: { isPaused: false, isHolding: false, wait: async () => {} },
    slots: { takeRetry: async () => ({ phase: 0, hasWaited: lane.hasWaited }), give: () => {} },
    suspects: new Mutex(),
    runner: { longestCallMs: 1_000 },
    protection: {
      retryWait: () => undefined,
      unused: () => {},
      begin: () => {
        hasBegun = true
      },
    },
  } as unknown as SubscriptionParts
  const turn = { isStillFirst: async () => lane.isStillFirst, planRelease: () => undefined }
  expect(await new RetryPath(parts).tryItem(entry, 60_000, turn)).toEqual({ kind: 'look-again' })
  return hasBegun
}

test('after a wait for its slot a retry looks whether an earlier event of its key was redriven meanwhile (I3)', async () => {
  expect(await begins({ hasWaited: true, isStillFirst: false })).toBe(false)
  expect(await begins({ hasWaited: true, isStillFirst: true })).toBe(true)
})
