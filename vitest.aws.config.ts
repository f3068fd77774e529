import { defineConfig } from 'vitest/config'
import shared from './vitest.config.ts'

/** Apart from `npm test`: contract suites against implementations of AWS services that come from npm take long. */
export default defineConfig({
  ...shared,
  test: { ...shared.test, include: ['packages/aws/test/**/*.service.ts'] },
})
