import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeRuns, encodeRuns } from '../../src/consume/resolved-runs.ts'
import { CorruptDataError } from '../../src/errors/engine-errors.ts'

describe('scenario 7: the resolved map as text', () => {
  test.each([
    ['nothing resolved above the base', []],
    ['one gap', [1, 3]],
    ['many gaps', [1, 1, 1, 1, 1, 1, 2, 5]],
    ['a base that is resolved already', [0, 3, 1, 1]],
    ['a huge offset', [2 ** 40, 1]],
    ['the largest offset', [Number.MAX_SAFE_INTEGER]],
    ['lengths at the edges of a byte', [127, 128, 16_383, 16_384, 2 ** 31, 2 ** 32]],
  ])('round-trips %s', (_name, runs) => {
    expect(decodeRuns(encodeRuns(runs))).toEqual(runs)
  })

  test('round-trips any runs', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 2 ** 40 }), { maxLength: 300 }), (runs) => {
        expect(decodeRuns(encodeRuns(runs))).toEqual(runs)
      }),
    )
  })

  test('2,000 records with every second one resolved stay under 4 KB', () => {
    expect(encodeRuns(Array.from({ length: 2_000 }, () => 1)).length).toBeLessThan(4_096)
  })

  test.each([
    ['a negative run', [1, -1]],
    ['an empty run in the middle', [1, 0, 1]],
    ['a fraction', [1.5]],
    ['a sum that overflows', [Number.MAX_SAFE_INTEGER, 1]],
    ['more runs than the limit', Array.from({ length: 262_145 }, () => 1)],
  ])('refuses to write %s', (_name, runs) => {
    expect(() => encodeRuns(runs)).toThrow(RangeError)
  })

  test.each([
    ['nothing', ''],
    ['an unknown format', 'Z123'],
    ['text of another kind', '{"runs":[1,2]}'],
    ['a foreign character', 'A€€€'],
  ])('refuses to read %s', (_name, text) => {
    expect(() => decodeRuns(text)).toThrow(CorruptDataError)
  })

  test('a text that was cut off or changed is refused or reads as other runs that were written so, never crashes', () => {
    const text = encodeRuns([1, 300, 70_000, 2, 5])
    let accepted = 0
    for (let index = 0; index < text.length; index += 1) {
      for (const letter of ['A', 'z', '-', '€']) {
        if (text[index] === letter) continue
        const damaged = text.slice(0, index) + letter + text.slice(index + 1)
        try {
          decodeRuns(damaged)
          accepted += 1
        } catch (error) {
          expect(error).toBeInstanceOf(CorruptDataError)
        }
      }
      expect(() => decodeRuns(text.slice(0, index))).toThrow(CorruptDataError)
    }
    expect(accepted).toBe(0)
  })

  test('any text either decodes to what encodes to it again, or is corrupt', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String()), (text) => {
        try {
          expect(encodeRuns(decodeRuns(text))).toBe(text)
        } catch (error) {
          expect(error).toBeInstanceOf(CorruptDataError)
        }
      }),
      { numRuns: 2_000 },
    )
  })
})
