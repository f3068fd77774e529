import { appendTests } from './log/appends.ts'
import { duplicateTests } from './log/duplicates.ts'
import { hashKeyTests } from './log/hash-keys.ts'
import { mergeTests, splitTests } from './log/lineage.ts'
import { readTests, waitTests } from './log/reads.ts'
import { retentionTests } from './log/retention.ts'
import { streamTests } from './log/streams.ts'
import { contract } from './support/contract-test.ts'
import type { ContractOptions, OpenFixture } from './support/fixture.ts'

/** Every promise of the `Log` port, as vitest tests of the engines that `open` makes. */
export function logContract(name: string, open: OpenFixture, options: ContractOptions = {}): void {
  contract(`log contract: ${name}`, open, options, {
    streams: streamTests,
    append: appendTests,
    'hash keys': hashKeyTests,
    read: readTests,
    'waiting reads': waitTests,
    split: splitTests,
    merge: mergeTests,
    duplicates: duplicateTests,
    retention: retentionTests,
  })
}
