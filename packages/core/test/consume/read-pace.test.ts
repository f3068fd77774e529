import { describe, expect, test } from 'vitest'
import { HEAD, ReadPace, type ReadRank } from '../../src/consume/read-pace.ts'
import { KINESIS_LIMITS } from '../../src/model/resolve-limits.ts'
import { AutoClock } from '../operate/support/auto-clock.ts'

const never = new AbortController().signal

/** Takes six turns, one after another, and notes each. */
async function reads(
  pace: ReadPace,
  clock: AutoClock,
  name: string,
  rank: ReadRank,
  taken: string[],
): Promise<void> {
  for (let count = 0; count < 6; count += 1) {
    await pace.turn(clock, never, rank)
    taken.push(name)
  }
}

function history(priority: number): ReadRank {
  return { isHead: false, priority }
}

describe('the reads of a shard with limits', () => {
  test('go to the head first, then to those that lag by their priority; nobody starves beside a busy head', async () => {
    const clock = new AutoClock()
    const pace = new ReadPace(KINESIS_LIMITS)
    const taken: string[] = []
    await Promise.all([
      reads(pace, clock, 'low', history(0), taken),
      reads(pace, clock, 'high', history(9), taken),
      reads(pace, clock, 'head', HEAD, taken),
    ])
    const placesOf = (name: string): number[] => taken.flatMap((one, index) => (one === name ? [index] : []))
    // The first comer finds a free turn; from there on the head has three of four.
    expect(taken.slice(0, 9).filter((one) => one === 'head')).toHaveLength(6)
    // All of the higher priority's before the second of the lower one's.
    expect(Math.max(...placesOf('high'))).toBeLessThan(placesOf('low')[1] as number)
  })

  test('are as far apart as the limits ask for, whoever makes them', async () => {
    const clock = new AutoClock()
    const pace = new ReadPace(KINESIS_LIMITS)
    const beganMs = clock.monotonicMs()
    const taken: string[] = []
    await Promise.all([
      reads(pace, clock, 'a', history(1), taken),
      reads(pace, clock, 'b', history(1), taken),
    ])
    // Four fifths of five reads a second: eleven pauses of 250 ms.
    expect(clock.monotonicMs() - beganMs).toBeGreaterThanOrEqual(11 * 250)
    expect(taken.slice(0, 4)).toEqual(['a', 'b', 'a', 'b'])
  })

  test('one that gives up leaves its turn to the others', async () => {
    const clock = new AutoClock()
    const pace = new ReadPace(KINESIS_LIMITS)
    const gone = new AbortController()
    await pace.turn(clock, never, HEAD)
    const waiting = pace.turn(clock, gone.signal, HEAD)
    const next = pace.turn(clock, never, history(0))
    gone.abort()
    await Promise.all([waiting, next])
    expect(clock.monotonicMs()).toBeLessThanOrEqual(252)
  })
})
