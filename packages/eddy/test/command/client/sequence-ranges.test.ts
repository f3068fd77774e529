import fc from 'fast-check'
import { expect, it } from 'vitest'
import { formatSequenceRanges } from '../../../src/client/sequence-ranges.ts'

it.each([
  [[], ''],
  [[5], '5'],
  [[5, 6], '5-6'],
  [[17, 20, 21, 22, 9], '17,20-22,9'],
  [[3, 2, 1], '3,2,1'],
])('%j is %j', (sequences, text) => {
  expect(formatSequenceRanges(sequences)).toBe(text)
})

it('says any sequences in their order', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(12), { minLength: 1, maxLength: 40 }), (sequences) => {
      const said = formatSequenceRanges(sequences)
        .split(',')
        .flatMap((range) => {
          const [first = 0, last = first] = range.split('-').map(Number)
          return Array.from({ length: last - first + 1 }, (_, index) => first + index)
        })
      expect(said).toEqual(sequences)
    }),
  )
})
