import { contract } from './support/contract-test.ts'
import type { ContractOptions, OpenFixture } from './support/fixture.ts'
import { concurrentWriteTests, conditionTests } from './table/conditions.ts'
import { indexOrderTests, indexTests } from './table/index-queries.ts'
import { orderedWriteTests } from './table/ordered-writes.ts'
import { pagingTests, queryTests } from './table/queries.ts'
import { expiryTests, keyTests, valueTests } from './table/values.ts'

/** Every promise of the `Table` port, as vitest tests of the engines that `open` makes. */
export function tableContract(name: string, open: OpenFixture, options: ContractOptions = {}): void {
  contract(`table contract: ${name}`, open, options, {
    conditions: conditionTests,
    'concurrent writes': concurrentWriteTests,
    'ordered writes': orderedWriteTests,
    values: valueTests,
    keys: keyTests,
    expiry: expiryTests,
    query: queryTests,
    paging: pagingTests,
    index: indexTests,
    'index order': indexOrderTests,
  })
}
