import { defineConfig } from 'vitest/config'

// Apart from `npm test`: it takes minutes and all cores.
export default defineConfig({
  resolve: { conditions: ['@eddy/source', 'module', 'node', 'default'] },
  ssr: { resolve: { conditions: ['@eddy/source', 'module', 'node', 'default'] } },
  test: { include: ['examples/git-history/test/kill.e2e.ts'], testTimeout: 300_000, fileParallelism: false },
})
