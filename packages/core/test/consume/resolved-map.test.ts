import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ResolvedMap } from '../../src/consume/resolved-map.ts'
import { decodeRuns, encodeRuns } from '../../src/consume/resolved-runs.ts'
import { CorruptDataError } from '../../src/errors/engine-errors.ts'

function admitMany(map: ResolvedMap, count: number): void {
  for (let index = 0; index < count; index += 1) map.admit()
}

describe('ResolvedMap', () => {
  test('the base is the lowest unresolved ordinal (I2)', () => {
    const map = new ResolvedMap()
    admitMany(map, 5)
    map.resolve(1)
    map.resolve(3)
    expect([map.base, map.runs(), map.runCount, map.span]).toEqual([0, [1, 1, 1, 1], 4, 4])
    map.resolve(0)
    expect([map.base, map.runs(), map.runCount]).toEqual([2, [1, 1], 2])
    map.resolve(2)
    map.resolve(4)
    expect([map.base, map.runs(), map.runCount, map.span]).toEqual([5, [], 0, 0])
  })

  test('resolving twice changes nothing; an ordinal that was never given out is a bug', () => {
    const map = new ResolvedMap()
    admitMany(map, 3)
    map.resolve(1)
    map.resolve(1)
    expect(map.runs()).toEqual([1, 1])
    expect(() => map.resolve(3)).toThrow(RangeError)
    expect(() => map.resolve(Number.NaN)).toThrow(RangeError)
  })

  test('what a restored map has resolved ahead can be forgotten: it comes as unresolved, nothing else does', () => {
    const map = new ResolvedMap([2, 3, 1, 40])
    admitMany(map, 4)
    map.resolve(0)
    map.forgetAbove()
    expect([map.base, map.runs(), map.runCount]).toEqual([1, [1, 2], 2])
    const again = Array.from({ length: 50 }, () => map.admit()).filter((ordinal) => !map.wasResolved(ordinal))
    expect(again).toHaveLength(50)
    map.resolve(1)
    expect([map.base, map.runs(), map.runCount]).toEqual([4, [], 0])
  })

  test('scenario 7: restored from runs, exactly the unresolved ordinals come again', () => {
    const map = new ResolvedMap([1, 2, 1, 1])
    const again = Array.from({ length: 7 }, () => map.admit()).filter((ordinal) => !map.wasResolved(ordinal))
    expect(again).toEqual([0, 3, 5, 6])
  })

  test('a checkpoint saved while a restored map is read again loses nothing of it (I2)', () => {
    const map = new ResolvedMap([1, 3, 1, 2])
    map.resolve(map.admit())
    // Ordinal 1 was not read yet in this life: the base stops there, though it is resolved.
    expect([map.base, map.runs(), map.runCount]).toEqual([1, [0, 3, 1, 2], 4])
    const next = new ResolvedMap(decodeRuns(encodeRuns(map.runs())))
    expect(Array.from({ length: 7 }, () => next.wasResolved(next.admit()))).toEqual([
      true,
      true,
      true,
      false,
      true,
      true,
      false,
    ])
    expect(next.base).toBe(3)
  })

  test('skipped records count as resolved and keep the ordinals those of the log', () => {
    const fresh = new ResolvedMap()
    fresh.skip(1e12)
    expect([fresh.base, fresh.admit(), fresh.runs()]).toEqual([1e12, 1e12, []])

    const restored = new ResolvedMap([1, 1, 1, 1])
    restored.skip(2)
    expect([restored.base, restored.runs()]).toEqual([2, [1, 1]])

    const busy = new ResolvedMap()
    busy.admit()
    busy.skip(3)
    expect([busy.base, busy.runs()]).toEqual([0, [1, 3]])
    expect(() => busy.skip(1e9)).toThrow(RangeError)
  })

  test('the span has a limit (I6)', () => {
    expect(() => new ResolvedMap([1, 2 ** 40])).toThrow(CorruptDataError)
    expect(new ResolvedMap([1, 1, 2 ** 40]).runs()).toEqual([1, 1])
  })

  test('a million records behind a base that moves on keep the memory of the span', () => {
    const map = new ResolvedMap()
    admitMany(map, 100)
    for (let ordinal = 0; ordinal < 1_000_000; ordinal += 1) {
      map.admit()
      map.resolve(ordinal % 2 === 0 ? ordinal + 1 : ordinal - 1)
    }
    expect([map.base, map.span, map.runCount]).toEqual([1_000_000, 0, 0])
  })

  test('a window that slides on, with late ones in it, never takes old bits for new', () => {
    const map = new ResolvedMap()
    const resolved = new Set<number>()
    const resolve = (ordinal: number) => {
      map.resolve(ordinal)
      resolved.add(ordinal)
    }
    for (let ordinal = 0; ordinal < 20_000; ordinal += 1) {
      map.admit()
      if (ordinal % 7 !== 0) resolve(ordinal)
      const late = ordinal - 300
      if (late >= 0 && late % 7 === 0) resolve(late)
      if (ordinal % 97 === 0) expectSame(map, resolved, ordinal + 1)
    }
    expect(map.span).toBeLessThanOrEqual(308)
  })

  test('agrees with a set of resolved ordinals, whatever the order, and over restarts', () => {
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({ kind: fc.constant('admit' as const), count: fc.integer({ min: 1, max: 40 }) }),
      },
      { weight: 8, arbitrary: fc.record({ kind: fc.constant('resolve' as const), pick: fc.nat() }) },
      {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constant('skip' as const), count: fc.integer({ min: 1, max: 40 }) }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        let map = new ResolvedMap()
        let resolved = new Set<number>()
        let admitted = 0
        for (const each of steps) {
          if (each.kind === 'admit') {
            for (let index = 0; index < each.count; index += 1) expect(map.admit()).toBe(admitted++)
          } else if (each.kind === 'resolve' && admitted > 0) {
            map.resolve(each.pick % admitted)
            resolved.add(each.pick % admitted)
          } else if (each.kind === 'skip') {
            map.skip(each.count)
            for (let index = 0; index < each.count; index += 1) resolved.add(admitted++)
          } else if (each.kind === 'restart') {
            const base = map.base
            map = new ResolvedMap(decodeRuns(encodeRuns(map.runs())))
            resolved = new Set(
              [...resolved].filter((ordinal) => ordinal >= base).map((ordinal) => ordinal - base),
            )
            admitted = 0
          }
          expectSame(map, resolved, admitted)
        }
      }),
      { numRuns: 300 },
    )
  })
})

function expectSame(map: ResolvedMap, resolved: ReadonlySet<number>, admitted: number): void {
  let base = 0
  while (base < admitted && resolved.has(base)) base += 1
  expect(map.base).toBe(base)
  expect(map.admitted).toBe(admitted)
  let end = base
  for (const ordinal of resolved) end = Math.max(end, ordinal + 1)
  const runs: number[] = []
  let state = false
  let length = 0
  for (let ordinal = base; ordinal < end; ordinal += 1) {
    expect(map.wasResolved(ordinal)).toBe(resolved.has(ordinal))
    if (resolved.has(ordinal) !== state) {
      runs.push(length)
      state = !state
      length = 0
    }
    length += 1
  }
  if (state && length > 0) runs.push(length)
  expect(map.runs()).toEqual(runs)
  expect(map.runCount).toBe(runs.length)
}
