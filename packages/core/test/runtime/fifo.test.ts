import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Fifo } from '../../src/runtime/fifo.ts'

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('push' as const), count: fc.nat(900) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('shift' as const), count: fc.nat(900) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('first' as const), count: fc.nat(40) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('withdraw' as const), count: fc.integer({ min: 2, max: 9 }) }),
  },
)

describe('Fifo', () => {
  it('is a list that is taken from the front, whatever is done to it', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const fifo = new Fifo<number>()
        let model: number[] = []
        let next = 0
        for (const { kind, count } of steps) {
          if (kind === 'push') {
            for (let n = 0; n < count; n += 1) {
              fifo.push(next)
              model.push(next)
              next += 1
            }
          } else if (kind === 'shift') {
            for (let n = 0; n < count; n += 1) expect(fifo.shift()).toBe(model.shift())
          } else if (kind === 'first') {
            const items = Array.from({ length: count }, (_, n) => next + n)
            next += count
            fifo.putFirst(items)
            model = [...items, ...model]
          } else {
            const isWithdrawn = (item: number): boolean => item % count === 0
            expect(fifo.withdraw(isWithdrawn)).toEqual(model.filter(isWithdrawn))
            model = model.filter((item) => !isWithdrawn(item))
          }
          expect([fifo.size, fifo.peek()]).toEqual([model.length, model[0]])
        }
        expect(fifo.list()).toEqual(model)
      }),
      { numRuns: 100, seed: 20_261_122 },
    )
  })
})
