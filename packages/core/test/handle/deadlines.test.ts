import { describe, expect, it } from 'vitest'
import { Deadlines } from '../../src/handle/deadlines.ts'
import type { Clock } from '../../src/ports/clock.ts'

describe('Deadlines', () => {
  it('closed, they leave no timer behind that would keep a process alive', async () => {
    const sleeps: { ms: number; signal: AbortSignal | undefined }[] = []
    const clock: Clock = {
      now: () => 0,
      monotonicMs: () => 0,
      random: () => 0,
      sleep: (ms, signal) => {
        sleeps.push({ ms, signal })
        return new Promise((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }))
      },
    }
    let expired = 0
    const deadlines = new Deadlines(clock)
    const entry = { deadlineMs: 30_000, expire: () => expired++ }
    deadlines.add(entry)
    deadlines.remove(entry)
    expect(sleeps.map(({ ms }) => ms)).toEqual([30_000])

    deadlines.close()
    expect(sleeps[0]?.signal?.aborted).toBe(true)
    await Promise.resolve()
    expect(sleeps).toHaveLength(1)
    expect(expired).toBe(0)
  })
})
