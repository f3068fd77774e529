import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { type AwsWorld, startAwsWorld } from '../support/aws-world.ts'
import { DeployedApp } from '../support/functions/deployed-app.ts'
import { poisonApp } from './apps/poison-app.ts'
import { PoisonedStream } from './support/poisoned-stream.ts'
import { rightsAsShop, streamsOf } from './support/rights-as-shop.ts'
import { expectWrittenRights } from './support/written-rights.ts'

const FILE = fileURLToPath(new URL('./apps/poison-app.ts', import.meta.url))
const BLOCKS = ['nothing', 'key', 'shard'] as const

let world: AwsWorld
let app: DeployedApp
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eddy-poison-'))
  await writeFile(steps(), '')
  world = await startAwsWorld()
  const env = { STREAMS: BLOCKS.join(','), STEPS: steps() }
  app = await DeployedApp.deploy({
    ...{ world, file: FILE, name: 'poison', calls: calls(), env, timeoutMs: 20_000 },
    app: poisonApp(BLOCKS, steps()),
  })
})

afterAll(async () => {
  await app?.stop()
  await world?.close()
  await rm(folder, { recursive: true, force: true })
})

const steps = () => join(folder, 'steps.ndjson')
const calls = () => join(folder, 'calls.ndjson')

describe.concurrent('An event that ends the process of its function', () => {
  for (const blocks of BLOCKS)
    it(`is dead with its payload, once all else is handled: blocks ${blocks} (I2, I3)`, async ({
      expect,
    }) => {
      const deeds = new Map([[7, 'exit'] as const, [18, 'hang'] as const])
      const stream = new PoisonedStream(blocks, { app, file: steps(), poison: { deeds, events: 30 } })
      await stream.put()
      app.mapStream(stream.subscription, { batchSize: 10 })
      await app.mapRetries(stream.subscription)
      const dead = await stream.end()
      expect(dead.map(({ item }) => item.eventId).sort()).toEqual(['e18', 'e7'])
      for (const { item, payload } of dead) {
        expect(item.reason).toContain('3')
        const { data } = JSON.parse(payload?.content ?? '') as { data: object }
        expect(data).toEqual(item.eventId === 'e7' ? { index: 7, does: 'exit' } : { index: 18, does: 'hang' })
      }
      if (blocks !== 'nothing') expect(stream.outOfOrder(blocks)).toEqual([])
      const live = app.fn('live', stream.subscription)
      expect(live.ends('exit')).toBeGreaterThanOrEqual(3)
      expect(live.ends('timeout')).toBeGreaterThanOrEqual(3)
    })
})

describe('What its functions asked AWS for', () => {
  it('is written down, for the constructs to compare their roles with', () => {
    const written = new URL('./poison-rights.json', import.meta.url)
    expectWrittenRights(calls(), written, (made) => rightsAsShop(made, 'poison', streamsOf(app.app)))
  })
})
