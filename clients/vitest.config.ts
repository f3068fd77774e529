import { defineConfig } from 'vitest/config'

// Apart from `npm test`: it fetches the clients of others, and starts hundreds of their processes.
export default defineConfig({
  resolve: { conditions: ['@eddy/source', 'module', 'node', 'default'] },
  ssr: { resolve: { conditions: ['@eddy/source', 'module', 'node', 'default'] } },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['./test/support/fetch-debian-clients.ts'],
    testTimeout: 180_000,
    hookTimeout: 60_000,
  },
})
