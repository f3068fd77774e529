import { defineConfig } from 'vitest/config'

// Apart from `npm test`: aws-cdk-lib is 160 MB, so this folder has a lock file of its own.
export default defineConfig({
  resolve: { conditions: ['@eddy/source', 'module', 'node', 'default'] },
  ssr: { resolve: { conditions: ['@eddy/source', 'module', 'node', 'default'] } },
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
})
