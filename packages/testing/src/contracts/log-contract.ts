import { appendBoundTests, appendCopyTests, appendTests, orderTests } from './log/appends.ts'
import { duplicateTests } from './log/duplicates.ts'
import { hashKeyTests } from './log/hash-keys.ts'
import { mergeTests, splitTests } from './log/lineage.ts'
import { readEachTests } from './log/read-each.ts'
import { readOnTests, readTests, waitTests } from './log/reads.ts'
import { retentionTests } from './log/retention.ts'
import { streamBoundTests, streamChangeTests, streamTests } from './log/streams.ts'
import { contract } from './support/contract-test.ts'
import type { ContractOptions, OpenFixture } from './support/fixture.ts'

/** Every promise of the `Log` port, as vitest tests of the engines that `open` makes. */
export function logContract(name: string, open: OpenFixture, options: ContractOptions = {}): void {
  contract(`log contract: ${name}`, open, options, {
    streams: streamTests,
    'stream bounds': streamBoundTests,
    'stream changes': streamChangeTests,
    append: appendTests,
    order: orderTests,
    'append bounds': appendBoundTests,
    'append keeps copies': appendCopyTests,
    'hash keys': hashKeyTests,
    'read positions': readTests,
    'reading on': readOnTests,
    'waiting reads': waitTests,
    'reading each record': readEachTests,
    split: splitTests,
    merge: mergeTests,
    duplicates: duplicateTests,
    retention: retentionTests,
  })
}
