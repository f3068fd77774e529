import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SettledLines } from '../../../src/command/put/settled-lines.ts'

describe('up to which line every line is settled', () => {
  it('moves with the first open line, over those behind it that were settled before', () => {
    const lines = new SettledLines(9)
    for (const number of [10, 12, 13, 20]) lines.add(number)
    const after = (order: number) => {
      lines.settle(order)
      return lines.line
    }
    expect(lines.line).toBe(9)
    expect(after(1)).toBe(9)
    expect(after(0)).toBe(12)
    expect(after(3)).toBe(12)
    lines.add(21)
    expect(after(2)).toBe(20)
    expect(after(4)).toBe(21)
  })

  it('is the same as looking at all lines, whatever the order, over thousands of them', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(40), { minLength: 5_000, maxLength: 5_000 }), (jumps) => {
        const lines = new SettledLines(0)
        const open = new Set<number>()
        const settled = new Set<number>()
        let added = 0
        let first = 0
        for (const jump of jumps) {
          while (open.size < 40) {
            lines.add(added + 1)
            open.add(added)
            added += 1
          }
          const order = [...open][jump % open.size] as number
          lines.settle(order)
          open.delete(order)
          settled.add(order)
          while (settled.has(first)) first += 1
          if (lines.line !== first) return false
        }
        return true
      }),
      { numRuns: 5 },
    )
  })
})
