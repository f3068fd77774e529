import { describe, expect, it } from 'vitest'
import { ShardPacer } from '../../src/produce/shard-pacer.ts'

const RATE = { recordsPerSecond: 1_000, bytesPerSecond: 1_048_576 }

function pacer(share?: number): ShardPacer {
  return new ShardPacer(RATE, { nowMs: 0, random: () => 0.5, ...(share !== undefined && { share }) })
}

/** Takes all that it may between two times, looking each millisecond; each visit is answered at once, all accepted. */
function taken(from: ShardPacer, fromMs: number, toMs: number, bytes = 100): number {
  let count = 0
  for (let nowMs = fromMs; nowMs < toMs; nowMs += 1) count += visit(from, nowMs, bytes)
  return count
}

function visit(from: ShardPacer, nowMs: number, bytes: number): number {
  if (from.dueAtMs(bytes, nowMs) > nowMs) return 0
  let count = 0
  for (; from.hasRoom(bytes, nowMs); count += 1) from.take(bytes)
  from.visited(nowMs)
  from.learn({ sentMs: nowMs, accepted: count, throttled: 0, worthMs: count * from.worthMs(bytes) }, nowMs)
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
    taken(rested, 0, 1_000)
    expect(taken(rested, 60_000, 60_001)).toBe(250)
  })

  it('is taken from in visits, not record by record', () => {
    const visited = pacer()
    taken(visited, 0, 1_000)
    let visits = 0
    for (let nowMs = 1_000; nowMs < 2_000; nowMs += 1) if (visit(visited, nowMs, 100) > 0) visits += 1
    expect(visits).toBeLessThanOrEqual(51)
  })

  it('before its first answers sends little, and then as much more as was accepted', () => {
    const begun = pacer()
    let count = 0
    for (let nowMs = 0; nowMs < 2_000; nowMs += 1) {
      for (; begun.dueAtMs(100, nowMs) <= nowMs && begun.hasRoom(100, nowMs); count += 1) begun.take(100)
    }
    expect(count).toBe(50)
    begun.learn({ sentMs: 0, accepted: 50, throttled: 0, worthMs: 50 }, 2_000)
    for (; begun.hasRoom(100, 2_000); count += 1) begun.take(100)
    expect(count).toBe(150)
    // A fate that is not known frees its place and opens nothing.
    begun.learn({ sentMs: 2_000, accepted: 0, throttled: 0, worthMs: 100 }, 2_001)
    for (; begun.hasRoom(100, 2_001); count += 1) begun.take(100)
    expect(count).toBe(250)
  })

  it('comes down by the part that was refused, once a round trip', () => {
    const crowded = pacer()
    crowded.learn({ sentMs: 0, accepted: 5, throttled: 35, worthMs: 1_000 }, 10)
    const share = crowded.share(10)
    expect(share).toBeGreaterThan(0.1)
    expect(share).toBeLessThan(0.2)
    // Sent before the step: of the old rate.
    crowded.learn({ sentMs: 5, accepted: 5, throttled: 35, worthMs: 1_000 }, 12)
    expect(crowded.share(12)).toBeGreaterThanOrEqual(share)
    crowded.learn({ sentMs: 11, accepted: 39, throttled: 1, worthMs: 1_000 }, 14)
    expect(crowded.share(14)).toBeLessThan(0.9 * share)
  })

  it('grows again: slowly about where the shard was full, then ever faster, and not over the rate', () => {
    const left = pacer()
    left.learn({ sentMs: 0, accepted: 10, throttled: 70, worthMs: 1_000 }, 1)
    const share = left.share(1)
    expect(left.share(1_001) - share).toBeLessThan(0.04)
    expect(left.share(3_001)).toBeGreaterThan(share + 0.3)
    expect(left.share(5_001)).toBe(1)
    expect(left.share(500_000)).toBe(1)
  })

  it('does not halve its rate for one large record that came a moment early', () => {
    const large = pacer()
    large.learn({ sentMs: 0, accepted: 0, throttled: 1, worthMs: 1_000 }, 1)
    expect(large.share(1)).toBeGreaterThanOrEqual(0.8)
  })

  it('while everything is refused it waits, longer each time, and never for good', () => {
    const refused = pacer()
    const waits: number[] = []
    let nowMs = 0
    for (let round = 0; round < 12; round += 1) {
      let sentMs = nowMs
      while (refused.dueAtMs(100, sentMs) > sentMs) sentMs = refused.dueAtMs(100, sentMs)
      waits.push(sentMs - nowMs)
      nowMs = sentMs + 5
      refused.learn({ sentMs, accepted: 0, throttled: 20, worthMs: 1_000 }, nowMs)
    }
    expect(waits[2]).toBeLessThan(waits[5] as number)
    for (const waitMs of waits) expect(waitMs).toBeLessThan(10_000)
    expect(refused.share(nowMs)).toBeGreaterThan(0)
    expect(taken(refused, nowMs, nowMs + 30_000)).toBeGreaterThan(15_000)
  })

  it('a slow shard is looked at again before its rate of now would allow a record', () => {
    const slow = new ShardPacer(
      { recordsPerSecond: 1, bytesPerSecond: 1_000 },
      { nowMs: 0, random: () => 0.5 },
    )
    slow.take(100)
    for (let round = 1; round < 10; round += 1)
      slow.learn({ sentMs: round, accepted: 0, throttled: 9, worthMs: 1_000 }, round)
    expect(slow.share(10)).toBeLessThan(0.1)
    expect(slow.dueAtMs(100, 10_000)).toBeLessThanOrEqual(10_250)
    expect(taken(slow, 10_000, 30_000)).toBeGreaterThan(15)
  })

  it('a child of a split begins with the share that its parent had', () => {
    expect(taken(pacer(0.1), 0, 500)).toBeLessThan(70)
  })
})
