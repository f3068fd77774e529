import { configDefaults, defineConfig } from 'vitest/config'
import shared from './vitest.config.ts'

const { include: _tests, exclude: _others, ...test } = shared.test ?? {}
/** What must happen within a stated time: when all else is over, so that it has the machine for itself. */
const TIMED = 'packages/aws/test/worker/take-over.service.ts'

/** Apart from `npm test`: what runs against implementations of AWS services that come from npm takes long. */
export default defineConfig({
  ...shared,
  test: {
    ...test,
    // Stories start many processes each: more of them at a time would only make each other late.
    maxWorkers: '50%',
    testTimeout: 600_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'services',
          include: ['packages/aws/test/**/*.service.ts'],
          exclude: [...configDefaults.exclude, TIMED],
          sequence: { groupOrder: 0 },
        },
      },
      { extends: true, test: { name: 'timed', include: [TIMED], sequence: { groupOrder: 1 } } },
    ],
  },
})
