import { describe, expect, it } from 'vitest'
import { ShardPacer } from '../../src/produce/shard-pacer.ts'

const RATE = { recordsPerSecond: 1_000, bytesPerSecond: 1_048_576 }

function pacer(share?: number): ShardPacer {
  return new ShardPacer(RATE, { nowMs: 0, random: () => 0.5, ...(share !== undefined && { share }) })
}

/** Takes all that it may between two times, looking each millisecond. */
function taken(from: ShardPacer, fromMs: number, toMs: number, bytes = 100): number {
  let count = 0
  for (let nowMs = fromMs; nowMs < toMs; nowMs += 1) {
    if (from.dueAtMs(bytes, nowMs) > nowMs) continue
    for (; from.hasRoom(bytes, nowMs); count += 1) from.take(bytes)
    from.visited(nowMs)
  }
  return count
}

describe('ShardPacer', () => {
  it('gives the whole rate to a writer that nothing refuses, by records and by bytes', () => {
    expect(taken(pacer(), 0, 10_000)).toBeGreaterThan(9_900)
    expect(taken(pacer(), 0, 10_000)).toBeLessThanOrEqual(10_051)
    const large = taken(pacer(), 0, 10_000, 10_486)
    expect(large).toBeGreaterThan(980)
    expect(large).toBeLessThanOrEqual(1_006)
  })

  it('after a pause sends no more than a quarter of a second at once', () => {
    const rested = pacer()
    taken(rested, 0, 100)
    expect(taken(rested, 60_000, 60_001)).toBe(250)
  })

  it('is taken from in visits, not record by record', () => {
    const visited = pacer()
    taken(visited, 0, 1_000)
    let visits = 0
    for (let nowMs = 1_000; nowMs < 2_000; nowMs += 1) {
      if (visited.dueAtMs(100, nowMs) > nowMs) continue
      visits += 1
      while (visited.hasRoom(100, nowMs)) visited.take(100)
      visited.visited(nowMs)
    }
    expect(visits).toBeLessThanOrEqual(51)
  })

  it('comes down by the part that was refused, once a round trip', () => {
    const crowded = pacer()
    crowded.learn({ sentMs: 0, accepted: 5, throttled: 35 }, 10)
    const share = crowded.share(10)
    expect(share).toBeGreaterThan(0.1)
    expect(share).toBeLessThan(0.2)
    // Sent before the step: of the old rate.
    crowded.learn({ sentMs: 5, accepted: 5, throttled: 35 }, 12)
    expect(crowded.share(12)).toBeGreaterThanOrEqual(share)
    crowded.learn({ sentMs: 11, accepted: 39, throttled: 1 }, 14)
    expect(crowded.share(14)).toBeLessThan(0.9 * share)
  })

  it('grows again: slowly about where the shard was full, then ever faster, and not over the rate', () => {
    const left = pacer()
    left.learn({ sentMs: 0, accepted: 10, throttled: 70 }, 1)
    const share = left.share(1)
    expect(left.share(1_001) - share).toBeLessThan(0.04)
    expect(left.share(3_001)).toBeGreaterThan(share + 0.3)
    expect(left.share(5_001)).toBe(1)
    expect(left.share(500_000)).toBe(1)
  })

  it('does not halve its rate for one large record that came a moment early', () => {
    const large = pacer()
    large.learn({ sentMs: 0, accepted: 0, throttled: 1 }, 1)
    expect(large.share(1)).toBeGreaterThanOrEqual(0.8)
  })

  it('while everything is refused it waits, longer each time, and never for good', () => {
    const refused = pacer()
    const waits: number[] = []
    let nowMs = 0
    for (let round = 0; round < 12; round += 1) {
      const sentMs = refused.dueAtMs(100, nowMs)
      waits.push(sentMs - nowMs)
      nowMs = sentMs + 5
      refused.learn({ sentMs, accepted: 0, throttled: 20 }, nowMs)
    }
    expect(waits[2]).toBeLessThan(waits[5] as number)
    for (const waitMs of waits) expect(waitMs).toBeLessThan(10_000)
    expect(refused.share(nowMs)).toBeGreaterThan(0)
    expect(taken(refused, nowMs, nowMs + 30_000)).toBeGreaterThan(15_000)
  })

  it('a child of a split begins with the share that its parent had', () => {
    expect(taken(pacer(0.1), 0, 500)).toBeLessThan(70)
  })
})
