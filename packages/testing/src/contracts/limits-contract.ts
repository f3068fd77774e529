import { limitChangeTests } from './log/limit-changes.ts'
import { faultTests } from './log/limit-faults.ts'
import { readEachLimitTests } from './log/read-each.ts'
import { readLimitTests } from './log/read-limits.ts'
import { requestLimitTests, writeLimitTests } from './log/write-limits.ts'
import { contract } from './support/contract-test.ts'
import type { OpenFixture } from './support/fixture.ts'

/**
 * The promises of a `Log` that enforces limits, as vitest tests of the engines that `open` makes. Time on their clocks moves
 * by `advance` alone, or by the few milliseconds that a call takes.
 */
export function limitsContract(name: string, open: OpenFixture): void {
  contract(
    `limits contract: ${name}`,
    open,
    {},
    {
      writes: writeLimitTests,
      requests: requestLimitTests,
      reads: readLimitTests,
      'reading each record': readEachLimitTests,
      changes: limitChangeTests,
      faults: faultTests,
    },
  )
}
