import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineApp, fixed, stream, subscribe } from '@eddy/core'
import { expect, onTestFinished, test } from 'vitest'
import { open } from '../../src/index.ts'

test('a policy that was changed counts after a restart on the embedded engine, and what waits goes on by it', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'eddy-policy-'))
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }))
  let calls = 0
  const app = defineApp({
    subscriptions: [
      subscribe('billing', stream('orders', { shards: 1 }), {
        failure: { blocks: 'shard', retry: fixed({ delayMs: 3_600_000, maxAttempts: 9 }) },
        handle: () => {
          calls += 1
          throw new Error('no')
        },
      }),
    ],
  })
  const first = await open(app, { dataDir })
  await first.append('orders', { key: 'a', id: 'e1', data: {} })
  await until(async () => (await first.operations.showSubscription('billing')).retrying === 1)
  await first.operations.changePolicy(
    'billing',
    { set: { 'failure.blocks': 'key', 'failure.exhausted': 'hold', 'failure.retry.maxAttempts': 2 } },
    { by: 'ana' },
  )
  await first.close()

  const second = await open(app, { dataDir })
  onTestFinished(() => second.close())
  expect(await second.operations.showPolicy('billing')).toMatchObject({
    version: 1,
    rejected: [],
    history: [{ version: 1, by: 'ana', changes: [{ before: 'shard', after: 'key' }, {}, {}] }],
  })
  // The event held its shard; it holds its key now, and others go on.
  await second.append('orders', { key: 'b', id: 'e2', data: {} })
  await until(() => calls === 2)
  await until(async () => (await second.operations.showSubscription('billing')).heldKeys === 2)
  const { items } = await second.operations.listFailures({ subscription: 'billing', key: 'b' })
  expect(items).toMatchObject([{ history: [{ policyVersion: 1 }] }])
})

/** Looks until it is so; the test's own bound ends it. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 10))
}
