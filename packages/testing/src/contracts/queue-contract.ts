import { receiptTests } from './queue/receipts.ts'
import { receiveTests, waitTests } from './queue/receiving.ts'
import { sendTests } from './queue/sending.ts'
import { contract } from './support/contract-test.ts'
import type { ContractOptions, OpenFixture } from './support/fixture.ts'

/** Every promise of the `Queue` port, as vitest tests of the engines that `open` makes. */
export function queueContract(name: string, open: OpenFixture, options: ContractOptions = {}): void {
  contract(`queue contract: ${name}`, open, options, {
    send: sendTests,
    receive: receiveTests,
    'waiting receives': waitTests,
    receipts: receiptTests,
  })
}
