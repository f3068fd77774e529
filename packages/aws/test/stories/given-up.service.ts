import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Blocks } from '@eddy/core'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { type AwsWorld, startAwsWorld } from '../support/aws-world.ts'
import { DeployedApp } from '../support/functions/deployed-app.ts'
import { poisonApp } from './apps/poison-app.ts'
import { PoisonedStream } from './support/poisoned-stream.ts'
import { rightsAsShop, streamsOf } from './support/rights-as-shop.ts'
import { expectWrittenRights } from './support/written-rights.ts'

const FILE = fileURLToPath(new URL('./apps/poison-app.ts', import.meta.url))
const TIMEOUT_MS = 20_000
/** What a policy blocks, and where the service puts a batch that it gives up. */
const CASES = [
  ['nothing', 'sqs'],
  ['key', 's3'],
  ['key', 'sns'],
  ['shard', 's3'],
  ['shard', 'sqs'],
] as const
const nameOf = (blocks: Blocks, to: string) => `${blocks}-${to}`

let world: AwsWorld
let app: DeployedApp
let folder: string
let destinations: Record<'s3' | 'sqs' | 'sns', ReturnType<DeployedApp['failuresToS3']>>

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eddy-given-up-'))
  await writeFile(steps(), '')
  world = await startAwsWorld()
  const streams = CASES.map(([blocks, to]) => nameOf(blocks, to))
  app = await DeployedApp.deploy({
    ...{ world, file: FILE, name: 'lost', calls: calls(), timeoutMs: TIMEOUT_MS },
    env: { STREAMS: streams.join(','), STEPS: steps() },
    app: poisonApp(streams, steps()),
    // The shortest that a mapping takes: a token whose function died comes again then.
    visibilityMs: TIMEOUT_MS,
  })
  destinations = {
    s3: app.failuresToS3(),
    sqs: await app.failuresToSqs(),
    sns: await app.failuresToSns(),
  }
})

afterAll(async () => {
  await app?.stop()
  await world?.close()
  await rm(folder, { recursive: true, force: true })
})

const steps = () => join(folder, 'steps.ndjson')
const calls = () => join(folder, 'calls.ndjson')

describe.concurrent('A batch that the service gives up since its function died', () => {
  for (const [blocks, to] of CASES)
    it(`is rescued from ${to}: blocks ${blocks} (I2, I3)`, async ({ expect }) => {
      const deeds = new Map([[7, 'exit'] as const])
      const name = nameOf(blocks, to)
      const stream = new PoisonedStream(name, { app, file: steps(), poison: { deeds, events: 20 } })
      await stream.put()
      const mapping = app.mapStream(stream.subscription, {
        batchSize: 10,
        // Two deaths of the function, where Eddy would give the event up after three. A split would be no retry.
        maximumRetryAttempts: 1,
        bisectBatchOnFunctionError: false,
        onFailure: destinations[to],
      })
      await app.mapRetries(stream.subscription)
      const dead = await stream.end()
      expect(dead.map(({ item }) => item.eventId)).toEqual(['e7'])
      const { data } = JSON.parse(dead[0]?.payload?.content ?? '') as { data: object }
      expect(data).toEqual({ index: 7, does: 'exit' })
      expect(mapping.discarded.length).toBeGreaterThanOrEqual(1)
      expect(dead[0]?.item.note).toContain('RetryAttemptsExhausted')
      // With `shard`, too: the mapping has gone on to other keys by the time that the rescue is invoked.
      if (blocks !== 'nothing') expect(stream.outOfOrder('key', await stream.late())).toEqual([])
    })
})

describe('What its functions asked AWS for', () => {
  it('is written down, for the constructs to compare their roles with', () => {
    const written = new URL('./given-up-rights.json', import.meta.url)
    expectWrittenRights(calls(), written, (made) => rightsAsShop(made, 'lost', streamsOf(app.app)))
  })
})
