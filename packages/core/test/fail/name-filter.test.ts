import { expect, test } from 'vitest'
import { NameFilter } from '../../src/fail/name-filter.ts'

const NAMES = 100_000

test('what was added is never denied, and of the rest hardly anything is taken for added', () => {
  const filter = new NameFilter()
  for (let n = 0; n < NAMES; n += 1) filter.add(`customer-${n}`)
  let denied = 0
  let mistaken = 0
  for (let n = 0; n < NAMES; n += 1) {
    if (!filter.mayHave(`customer-${n}`)) denied += 1
    if (filter.mayHave(`customer-${NAMES + n}`)) mistaken += 1
  }
  expect(denied).toBe(0)
  expect(mistaken).toBeLessThan(NAMES / 1_000)
})
