import { defineConfig } from 'vitest/config'

export default defineConfig({
  // Tests read the packages' sources, so that a stale build can never pass for the code under test.
  resolve: { conditions: ['@eddy/source', 'module', 'node', 'default'] },
  ssr: { resolve: { conditions: ['@eddy/source', 'module', 'node', 'default'] } },
  test: {
    include: [
      'packages/*/test/**/*.test.ts',
      'examples/*/test/**/*.test.ts',
      'benchmarks/test/**/*.test.ts',
      'test/**/*.test.ts',
    ],
    // Real processes on a busy machine: no test asserts a speed, so this only bounds what hangs.
    testTimeout: 120_000,
    // Files share their worker's modules: loading them again for each of over a hundred files took a tenth of the time.
    isolate: false,
    // Many tests wait for processes and disks: one worker less than there are cores would leave one idle.
    maxWorkers: '100%',
    reporters: ['default'],
  },
})
