import { contract } from './support/contract-test.ts'
import type { ContractOptions, OpenFixture } from './support/fixture.ts'
import { conditionTests } from './table/conditions.ts'
import { indexTests } from './table/index-queries.ts'
import { queryTests } from './table/queries.ts'
import { expiryTests, valueTests } from './table/values.ts'

/** Every promise of the `Table` port, as vitest tests of the engines that `open` makes. */
export function tableContract(name: string, open: OpenFixture, options: ContractOptions = {}): void {
  contract(`table contract: ${name}`, open, options, {
    conditions: conditionTests,
    values: valueTests,
    expiry: expiryTests,
    query: queryTests,
    index: indexTests,
  })
}
