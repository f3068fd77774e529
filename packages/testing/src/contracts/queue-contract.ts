import { deduplicationTests } from './queue/deduplication.ts'
import { groupTests } from './queue/groups.ts'
import { delayTests, receiptTests } from './queue/receipts.ts'
import { receiveTests, visibilityTests, waitTests } from './queue/receiving.ts'
import { depthTests, queueRestartTests, sendTests } from './queue/sending.ts'
import { contract } from './support/contract-test.ts'
import type { ContractOptions, OpenFixture } from './support/fixture.ts'

/** Every promise of the `Queue` port, as vitest tests of the engines that `open` makes. */
export function queueContract(name: string, open: OpenFixture, options: ContractOptions = {}): void {
  contract(`queue contract: ${name}`, open, options, {
    send: sendTests,
    'depth and purge': depthTests,
    restart: queueRestartTests,
    receive: receiveTests,
    visibility: visibilityTests,
    'waiting receives': waitTests,
    receipts: receiptTests,
    delay: delayTests,
    groups: groupTests,
    deduplication: deduplicationTests,
  })
}
