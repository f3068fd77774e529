import { defineConfig } from 'vitest/config'
import shared from './vitest.config.ts'

/** Apart from `npm test`: contract suites against implementations of AWS services that come from npm take long. */
export default defineConfig({
  ...shared,
  test: {
    ...shared.test,
    include: ['packages/aws/test/**/*.service.ts'],
    // Stories start many processes each: more of them at a time would only make each other late.
    maxWorkers: '50%',
    testTimeout: 300_000,
  },
})
