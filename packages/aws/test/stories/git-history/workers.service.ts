import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Blocks } from '@eddy/core'
import { describe, expect, it } from 'vitest'
import { awsEngine } from '../../../src/engine/index.ts'
import { resourceEnv } from '../../../src/resources/index.ts'
import { SCHEDULER_ROLE } from '../../support/aws-world.ts'
import { Outside, outsideApp, settingsOf } from './outside.ts'
import { play, StoryFile, TEST_MS } from './story.ts'
import { WorkerFleet } from './worker-fleet.ts'

const WORKERS = 3

const story = new StoryFile()

describe('git-history in workers, killed at random with work in flight (I1, I2, I3)', {
  concurrent: true,
}, () => {
  for (const blocks of ['nothing', 'key', 'shard'] as const)
    it(`blocks: ${blocks}: equals git's own count for every path`, { timeout: TEST_MS }, () =>
      inWorkers(blocks),
    )
})

async function inWorkers(blocks: Blocks): Promise<void> {
  const { world, parent } = story.get()
  const directory = join(parent, blocks)
  mkdirSync(directory)
  const name = `git-${blocks}`
  const resources = { name, bucket: `${name}-payloads`, schedulerRoleArn: SCHEDULER_ROLE }
  const app = outsideApp(blocks)
  const engine = await awsEngine({ app, resources, create: true, env: { ...process.env, ...world.env } })
  for (const { name: stream, shards, retentionMs, durability } of app.streams)
    await engine.log.createStream({ name: stream, shardCount: shards, retentionMs, durability })
  const outside = new Outside(engine, blocks, directory)
  const env = { ...world.env, ...resourceEnv(resources), ...settingsOf(blocks, directory) }
  const fleet = new WorkerFleet(directory, env)
  try {
    await Promise.all(Array.from({ length: WORKERS }, () => fleet.start()))
    const played = await play(story.get(), {
      outside,
      victims: () => fleet.victims(),
      replace: () => fleet.start(),
      logs: () => fleet.logs(),
    })
    story.expectEqual(blocks, directory, played)
    expect(await outside.status()).toMatchObject({ dead: 0, retrying: 0, held: 0 })
    expect(await fleet.stop()).toEqual(Array.from({ length: WORKERS }, () => 0))
  } finally {
    await fleet.abandon()
    await engine.close()
  }
}
