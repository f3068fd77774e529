import { expect, it } from 'vitest'
import { synthesized } from './support/synthesized.ts'

/** Hashes of assets change with every line of the handlers; what is made does not. */
const HASH = /\b[0-9a-f]{64}\b/g

it("the shop's template is the one that was looked at; update it with vitest --update", async () => {
  const template = JSON.stringify(synthesized().template.toJSON(), undefined, 1).replace(HASH, 'HASH')
  await expect(template).toMatchFileSnapshot('__snapshots__/shop-template.snap')
})

it('a template is the same each time', () => {
  const [first, second] = [synthesized(), synthesized()].map(({ template }) =>
    JSON.stringify(template.toJSON()),
  )
  expect(second).toBe(first)
})
