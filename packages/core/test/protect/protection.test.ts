import { expect, test } from 'vitest'
import { keys } from '../../src/fail/keys.ts'
import { protectPolicy } from '../../src/index.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import { BreakerStore } from '../../src/protect/breaker-store.ts'
import { Protection } from '../../src/protect/protection.ts'
import { world } from '../operate/support/fixture.ts'

test('an open breaker refuses every start: first attempts, retries and tries in place (scenario 19)', async () => {
  const { engine, clock } = world()
  const sinceMs = clock.now()
  const open = { kind: 'open', sinceMs, probesAtMs: sinceMs + 10_000, pauseMs: 10_000, reason: 'planned' }
  await engine.table.put({ ...keys.breaker('billing'), value: open }, 'absent')
  const protection = new Protection({
    subscription: 'billing',
    policy: { protect: protectPolicy({ breaker: {} }), concurrency: 1 },
    clock,
    store: new BreakerStore(engine, 'billing', new AbortController().signal, silentLogger),
    logger: silentLogger,
    notify: () => {},
  })
  await protection.load()
  // Nobody asks again before a try in place begins.
  expect(protection.takeInPlace()).toBe(false)
  expect([protection.take('first'), protection.take('retry')]).toEqual([false, false])
  expect(protection.refused.breaker).toBe(3)
  await clock.sleep(10_001)
  expect(protection.take('first')).toBe(true)
})
