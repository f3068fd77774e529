import { describe, expect, it } from 'vitest'
import { ProbeTurns } from '../../src/protect/probe-turns.ts'

describe('ProbeTurns', () => {
  it('lets an event go the later, the later it failed as a probe, and at once when it never did', () => {
    const turns = new ProbeTurns()
    turns.note(new Set(['a', 'b']))
    turns.note(new Set(['b', 'c']))
    expect(['x', 'a', 'b', 'c'].map((position) => turns.yieldMs(position, 60_000))).toEqual([
      0, 980, 1_000, 1_000,
    ])
    expect(turns.yieldMs('c', 200)).toBe(100)
  })

  it('remembers 50 probings, and none once the downstream works', () => {
    const turns = new ProbeTurns()
    turns.note(new Set(['first']))
    for (let no = 1; no < 50; no++) turns.note(new Set([`p${no}`]))
    expect(turns.yieldMs('first', 60_000)).toBe(20)
    turns.note(new Set(['last']))
    expect(turns.yieldMs('first', 60_000)).toBe(0)
    turns.clear()
    expect(turns.yieldMs('last', 60_000)).toBe(0)
  })
})
