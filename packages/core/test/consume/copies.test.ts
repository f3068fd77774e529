import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { COPY_WINDOW_MS, Copies } from '../../src/consume/copies.ts'
import { SequenceRuns } from '../../src/consume/sequence-runs.ts'

describe('runs of sequences', () => {
  test('are the set of what was added, and as few runs as that has', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 120 }), { maxLength: 200 }), (numbers) => {
        const runs = new SequenceRuns()
        const model = new Set<number>()
        for (const number of numbers) {
          runs.add(number)
          model.add(number)
        }
        for (let number = 0; number <= 121; number += 1) expect(runs.has(number)).toBe(model.has(number))
        const starts = [...model].filter((number) => !model.has(number - 1))
        expect(runs.count).toBe(starts.length)
        expect(runs.highest(1_000)).toHaveLength(2 * starts.length)
      }),
    )
  })

  test('over 16,384 of them the lowest are forgotten, and nothing is ever added by itself (I2, I6)', () => {
    const runs = new SequenceRuns()
    for (let number = 0; number <= 2 * 16_384; number += 2) runs.add(number)
    expect([runs.has(0), runs.has(2_046), runs.has(2_048), runs.has(2 * 16_384)]).toEqual([
      false,
      false,
      true,
      true,
    ])
    for (let number = 1; number < 2 * 16_384; number += 2)
      if (runs.has(number)) expect.fail(`${number} was never added`)
    expect(runs.count).toBe(16_384 - 1_024 + 1)
  })
})

describe('copies', () => {
  const mark = (sequence: number, producer = 'p') => ({ producer, sequence })

  test('a mark is a copy from its second record on', () => {
    const copies = new Copies()
    expect([copies.isCopy(mark(1), 0, 0), copies.isCopy(mark(1, 'q'), 1, 0)]).toEqual([false, false])
    expect([copies.isCopy(mark(1), 2, 0), copies.isCopy(mark(2), 3, 0)]).toEqual([true, false])
    copies.advance(3)
    expect(copies.isCopy(mark(1), 4, 0)).toBe(true)
  })

  test('saved below the base alone: what comes again from there is no copy of itself (K2)', () => {
    const before = new Copies()
    for (const [ordinal, sequence] of [1, 2, 3, 1, 4].entries()) before.isCopy(mark(sequence), ordinal, 0)
    const after = new Copies(before.saved(2))
    // Ordinals 2 to 4 come again.
    expect([3, 1, 4].map((sequence, ordinal) => after.isCopy(mark(sequence), ordinal, 0))).toEqual([
      false,
      true,
      false,
    ])
  })

  test('a child knows what both its parents knew', () => {
    const child = new Copies([['p', 0, 1, 5]], undefined, [['q', 0, 7, 7]])
    expect(child.isCopy(mark(5), 0, 0)).toBe(true)
    expect(child.isCopy(mark(7, 'q'), 1, 0)).toBe(true)
    expect(child.isCopy(mark(7), 2, 0)).toBe(false)
  })

  test('a producer not heard of for ten minutes is forgotten when another one is heard of', () => {
    const copies = new Copies([['old', 1_000, 1, 1]])
    copies.isCopy(mark(1, 'new'), 0, 1_000 + COPY_WINDOW_MS)
    copies.advance(1)
    expect(copies.isCopy(mark(1, 'old'), 1, 1_000 + COPY_WINDOW_MS)).toBe(true)
    copies.isCopy(mark(2, 'new'), 2, 1_001 + COPY_WINDOW_MS)
    copies.advance(3)
    expect(copies.isCopy(mark(1, 'old'), 4, 1_001 + COPY_WINDOW_MS)).toBe(false)
  })

  test('10,000 producers are kept, of which the last 256 are saved (I6)', () => {
    const copies = new Copies()
    for (let ordinal = 0; ordinal < 10_001; ordinal += 1) copies.isCopy(mark(1, `p${ordinal}`), ordinal, 0)
    expect(copies.saved(10_001)).toHaveLength(256)
    expect(copies.isCopy(mark(1, 'p0'), 10_001, 0)).toBe(false)
    expect(copies.isCopy(mark(1, 'p1'), 10_002, 0)).toBe(true)
    expect(copies.saved(10_001).at(-1)?.[0]).toBe('p10000')
  })

  test('over 65,536 runs in all the producer not heard of for longest is forgotten (I6)', () => {
    const copies = new Copies()
    let ordinal = 0
    for (const producer of ['a', 'b', 'c', 'd', 'e'])
      for (let sequence = 0; sequence < 2 * 14_000; sequence += 2) {
        copies.isCopy(mark(sequence, producer), ordinal, 0)
        ordinal += 1
      }
    copies.advance(ordinal)
    expect([copies.isCopy(mark(0, 'a'), ordinal, 0), copies.isCopy(mark(0, 'b'), ordinal, 0)]).toEqual([
      false,
      true,
    ])
    // What is saved has less room: the latest runs of the latest producers.
    expect(copies.saved(ordinal).map(([producer, , ...runs]) => [producer, runs.length])).toEqual([
      ['d', 1_024],
      ['e', 1_024],
    ])
  })

  test('over any stops: each mark is handled once in the end, whatever is replayed (I2)', () => {
    const record = fc.record({ producer: fc.constantFrom('p', 'q'), sequence: fc.nat({ max: 8 }) })
    const records = fc.array(record, { minLength: 1, maxLength: 40 })
    const stops = fc.array(fc.record({ reads: fc.nat({ max: 40 }), unresolved: fc.nat({ max: 6 }) }), {
      maxLength: 6,
    })
    fc.assert(
      fc.property(records, stops, (log, lives) => {
        let base = 0
        let saved: ReturnType<Copies['saved']> = []
        const copiesAt = new Set<number>()
        for (const { reads, unresolved } of [...lives, { reads: log.length, unresolved: 0 }]) {
          const copies = new Copies(saved)
          const end = Math.min(log.length, base + reads)
          for (let at = base; at < end; at += 1) {
            const isCopy = copies.isCopy(log[at] as { producer: string; sequence: number }, at - base, at)
            // Every life says the same of a record.
            if (isCopy) copiesAt.add(at)
            else expect(copiesAt.has(at)).toBe(false)
          }
          const next = Math.max(base, end - unresolved)
          saved = copies.saved(next - base)
          base = next
        }
        const firsts = new Set<string>()
        for (const [at, { producer, sequence }] of log.entries()) {
          expect(copiesAt.has(at)).toBe(firsts.has(`${producer}/${sequence}`))
          firsts.add(`${producer}/${sequence}`)
        }
      }),
    )
  })
})
