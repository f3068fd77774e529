import { configDefaults, defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Real processes, and the simulation's thousands of seeds. */
const LONG =
  /simulation\.test|\/process(es)?\/|e2e\.test|\/threads\/|git-history\/test\/(kill|start)|\/tour\.test/

/** Long files first, so that at the end no processor waits for the last of them. In a new clone no durations are known. */
class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const isLong = ({ moduleId }: TestSpecification) => LONG.test(moduleId)
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}

export default defineConfig({
  // Tests read the packages' sources, so that a stale build can never pass for the code under test.
  resolve: { conditions: ['@eddy/source', 'node', 'default'] },
  ssr: { resolve: { conditions: ['@eddy/source', 'node', 'default'] } },
  test: {
    include: [
      'packages/*/test/**/*.test.ts',
      'examples/*/test/**/*.test.ts',
      'benchmarks/test/**/*.test.ts',
      'test/**/*.test.ts',
    ],
    // It has an install of its own: `npm run test:cdk`.
    exclude: [...configDefaults.exclude, 'packages/cdk/**'],
    globalSetup: ['./scripts/bundle.mjs'],
    // Real processes on a busy machine: no test asserts a speed, so this only bounds what hangs.
    testTimeout: 120_000,
    sequence: { sequencer: LongFirst },
    // Files share their worker's modules: loading them again for each of over a hundred files took a tenth of the time.
    isolate: false,
    // Many tests wait for processes and disks: one worker less than there are cores would leave one idle.
    maxWorkers: '100%',
    hookTimeout: 60_000,
    reporters: ['default'],
  },
})
