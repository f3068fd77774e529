import { describe, expect, test } from 'vitest'
import { KEYS, Workers } from '../support/workers.ts'

async function twoWorkers(options: ConstructorParameters<typeof Workers>[0] = {}): Promise<Workers> {
  const workers = new Workers({ shards: 4, ...options })
  await workers.start('a')
  await workers.start('b')
  await workers.advance(10_000)
  return workers
}

describe('what a person asks of one worker counts for all within two seconds', () => {
  test('a pause and its end', async () => {
    const workers = await twoWorkers()
    const { operations } = workers.get('a').runtime
    await workers.until(operations.pauseSubscription('work', { by: 'alice' }))
    await workers.advance(2_000)
    await workers.append(KEYS)
    await workers.advance(10_000)
    expect(workers.handled).toEqual([])
    expect(await workers.until(workers.get('b').runtime.operations.showSubscription('work'))).toMatchObject({
      paused: true,
      pausedBy: 'alice',
    })
    await workers.until(workers.get('b').runtime.operations.resumeSubscription('work', {}))
    await workers.advance(3_000)
    expect(workers.handled).toHaveLength(KEYS.length)
    expect(new Set(workers.handled.map(({ worker }) => worker))).toEqual(new Set(['a', 'b']))
  })

  test('a change of the policy, with which reading begins again where it was', async () => {
    const workers = await twoWorkers({ handleMs: 30, concurrency: 2 })
    await workers.append(KEYS)
    const { operations } = workers.get('a').runtime
    const set = { 'failure.blocks': 'shard', 'failure.exhausted': 'hold', concurrency: 3 } as never
    await workers.until(operations.changePolicy('work', { set }, { by: 'alice' }))
    await workers.append(KEYS)
    await workers.advance(2_000)
    for (const name of ['a', 'b']) {
      const status = workers.get(name).runtime.operations.showSubscription('work')
      expect(await workers.until(status)).toMatchObject({ blocks: 'shard', concurrency: 3, policyVersion: 1 })
    }
    await workers.advance(10_000)
    expect(workers.handled.map(({ id }) => id).sort()).toEqual(
      [...KEYS.map((key) => `${key}1`), ...KEYS.map((key) => `${key}2`)].sort(),
    )
    expect(workers.outOfOrder()).toEqual([])
  })

  test('a seek is refused while others may read, and tells the next step; alone it is made', async () => {
    const workers = await twoWorkers()
    await workers.append(KEYS)
    await workers.advance(1_000)
    const seek = (): Promise<unknown> =>
      workers.until(workers.get('a').runtime.operations.seekSubscription('work', { at: 'trim_horizon' }, {}))
    await expect(seek()).rejects.toMatchObject({
      code: 'EDDY_SEEK_AMONG_WORKERS',
      message: expect.stringContaining('Stop all workers but one'),
    })
    await workers.stop('b')
    await workers.advance(2_000)
    await seek()
    await workers.advance(5_000)
    expect(workers.handled).toHaveLength(2 * KEYS.length)
  })

  test('each tells which worker reads a shard', async () => {
    const workers = await twoWorkers()
    await workers.append(KEYS)
    await workers.advance(3_000)
    const status = await workers.until(workers.get('a').runtime.operations.showSubscription('work'))
    expect(status.shards.map(({ owner, state }) => `${owner} ${state}`).sort()).toEqual([
      'a reading',
      'a reading',
      'b elsewhere',
      'b elsewhere',
    ])
    expect(status.shards.every(({ lagMs, checkpoint }) => lagMs === 0 && checkpoint !== undefined)).toBe(true)
  })
})

describe('what one worker does for all', () => {
  test('goes on in another once it is dead: a token that was lost with it is sent again', async () => {
    let fails = true
    const workers = await twoWorkers({
      failure: { blocks: 'key', exhausted: 'hold' },
      handle: () => {
        if (fails) throw new Error('planned')
      },
    })
    await workers.append(['k0-'])
    await workers.advance(1_000)
    fails = false
    // As after a crash between the hold and its token.
    await workers.until(workers.get('a').engine.queue.purge('retry/work'))
    const before = leaderOf(workers)
    workers.kill(before)
    await workers.advance(120_000)
    expect(leaderOf(workers)).toBe(before === 'a' ? 'b' : 'a')
    expect(workers.handled.map(({ id }) => id)).toEqual(['k0-1'])
  })
})

/** The worker that sweeps. */
function leaderOf(workers: Workers): string {
  const rows = workers.world.store.allItems('lease')
  const rowOf = (sort: string): Record<string, unknown> =>
    (rows.find((row) => row.sort === sort)?.value ?? {}) as unknown as Record<string, unknown>
  return String(rowOf(`worker/${String(rowOf('role/sweeper').owner)}`).name)
}
