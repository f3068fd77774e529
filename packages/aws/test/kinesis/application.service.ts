import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  ListStreamConsumersCommand,
  UpdateStreamRecordDistributionStrategyCommand,
} from '@aws-sdk/client-kinesis'
import {
  type AppDefinition,
  defineApp,
  type Engine,
  type Notice,
  type Runtime,
  startRuntime,
  stream,
  subscribe,
} from '@eddy/core'
import { openEmbedded } from '@eddy/embedded'
import { openAwsEndpoint } from '@eddy/server/aws'
import { describe, expect, onTestFinished, test } from 'vitest'
import { KinesisLog, type KinesisLogOptions } from '../../src/kinesis/index.ts'
import { startKinesisLocal } from '../support/emulators.ts'
import { clientOf, startKinesalite } from '../support/kinesalite.ts'

const KEYS = 20
const ROUNDS = 15

const orders = stream('orders', { shards: 2 })

/** An application whose stream is on Kinesis; its other ports are embedded. */
class Deployed {
  readonly handled = new Map<string, string[]>()
  readonly notices: Notice[] = []
  readonly #cleanUp: (() => Promise<void>)[] = []

  async endpoint(start: () => Promise<{ endpoint: string; stop(): Promise<void> }>): Promise<string> {
    const { endpoint, stop } = await start()
    this.#cleanUp.push(stop)
    return endpoint
  }

  async engine(endpoint: string, options: Partial<KinesisLogOptions> = {}): Promise<Engine> {
    const dataDir = await mkdtemp(join(tmpdir(), 'eddy-kinesis-'))
    const engine = await openEmbedded({ dataDir })
    const client = clientOf(endpoint)
    const log = new KinesisLog({ client, clock: engine.clock, createStreams: 'provisioned', ...options })
    this.#cleanUp.push(async () => {
      await log.close()
      client.destroy()
      await engine.close()
      await rm(dataDir, { recursive: true, force: true })
    })
    return {
      log,
      queue: engine.queue,
      table: engine.table,
      blobs: engine.blobs,
      clock: engine.clock,
      md5: (bytes) => engine.md5(bytes),
      md5Hex: (text) => engine.md5Hex(text),
      close: async () => {},
    }
  }

  app(blocks: 'nothing' | 'key', fanOut = false): AppDefinition {
    return defineApp({
      subscriptions: [
        subscribe('billing', orders, {
          fanOut,
          failure: blocks === 'key' ? { blocks, exhausted: 'hold' } : { blocks },
          handle: ({ id }, { key }) => {
            this.handled.set(key, [...(this.handled.get(key) ?? []), id])
          },
        }),
      ],
      notify: [{ name: 'test', notify: (notice) => void this.notices.push(notice) }],
    })
  }

  async start(engine: Engine, app: AppDefinition): Promise<Runtime> {
    const runtime = await startRuntime({ engine, app })
    this.#cleanUp.push(() => runtime.stop())
    return runtime
  }

  get count(): number {
    return [...this.handled.values()].reduce((sum, ids) => sum + ids.length, 0)
  }

  async close(): Promise<void> {
    for (const step of this.#cleanUp.reverse()) await step()
  }
}

function deployed(): Deployed {
  const made = new Deployed()
  onTestFinished(() => made.close())
  return made
}

const kinesalite = async () => {
  const service = await startKinesalite()
  return { endpoint: service.endpoint, stop: () => service.close() }
}

const eddysOwn = async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'eddy-endpoint-'))
  const engine = await openEmbedded({ dataDir })
  const host = { host: '127.0.0.1', port: 0, region: 'us-east-1' }
  // With the limits of the service: five reads a second for each shard.
  const server = await openAwsEndpoint({ engine, ...host, limits: 'kinesis', instant: true })
  return {
    endpoint: server.url,
    stop: async () => {
      await server.close()
      await engine.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

const keys = Array.from({ length: KEYS }, (_, n) => `key-${n}`)
const round = (n: number) => keys.map((key) => ({ id: `${key}/${n}`, key, data: { n } }))
/** Of each key, every event once and in order. */
const inOrder = new Map(keys.map((key) => [key, Array.from({ length: ROUNDS }, (_, n) => `${key}/${n}`)]))

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let look = 0; look < 1_200; look += 1) {
    if (await isSo()) return
    await sleep(25)
  }
  throw new Error(`expected ${what} within 30 seconds`)
}

describe.each([
  ['kinesalite', kinesalite, false],
  ['kinesis-local', startKinesisLocal, false],
  ['kinesis-local, with enhanced fan-out', startKinesisLocal, true],
  ["Eddy's endpoint, with the limits of Kinesis", eddysOwn, false],
] as const)('an application on %s', (_name, start, fanOut) => {
  test('handles each event of a key once and in order, over a split, a merge and a restart (I2, I3)', async () => {
    const here = deployed()
    const engine = await here.engine(await here.endpoint(start))
    const app = here.app('key', fanOut)
    let runtime = await here.start(engine, app)
    const append = async (from: number, to: number): Promise<void> => {
      for (let n = from; n < to; n += 1) {
        const outcomes = await runtime.append('orders', round(n))
        expect(outcomes.filter(({ ok }) => !ok)).toEqual([])
      }
    }
    await append(0, 4)
    const [first] = await engine.log.listShards('orders')
    // kinesis-local pushes on and on of a closed shard, where Kinesis ends it with ChildShards: fan-out.test.ts has that.
    if (!fanOut) await runtime.operations.splitShard('orders', first?.shardId ?? '')
    await append(4, 8)
    await runtime.stop()
    runtime = await here.start(engine, app)
    await append(8, 11)
    const shards = await engine.log.listShards('orders')
    const open = shards.find(({ endingSequenceNumber }) => endingSequenceNumber === undefined)
    if (!fanOut) await runtime.operations.mergeShards('orders', open?.shardId ?? '')
    await append(11, ROUNDS)
    await until('all to be handled', () => here.count >= ROUNDS * KEYS)
    expect(here.handled).toEqual(inOrder)
    expect(here.notices).toEqual([])
  })
})

test('four applications that know nothing of each other read the same shards, under the limits of Kinesis', async () => {
  const here = deployed()
  const endpoint = await here.endpoint(eddysOwn)
  const app = here.app('key')
  const engines = [await here.engine(endpoint)]
  const runtime = await here.start(engines[0] as Engine, app)
  for (let number = 1; number < 4; number += 1) {
    const engine = await here.engine(endpoint)
    engines.push(engine)
    await here.start(engine, app)
  }
  for (let n = 0; n < 10; n += 1) {
    await runtime.append('orders', round(n))
    await until('all to be handled four times', () => here.count === (n + 1) * KEYS * 4)
  }
  const metrics = await runtime.operations.metrics()
  // Four readers would make 16 reads a second of a shard that takes five.
  expect(Number(/^eddy_log_reads_throttled_total\S* (\d+)/m.exec(metrics)?.[1])).toBeGreaterThan(0)
  expect(here.notices).toEqual([])
})

test('enhanced fan-out: one consumer is registered for a subscription, however often it starts', async () => {
  const here = deployed()
  const endpoint = await here.endpoint(startKinesisLocal)
  const engine = await here.engine(endpoint, { consumerNameOf: (name) => `shop-${name}` })
  for (let start = 0; start < 2; start += 1) {
    const runtime = await here.start(engine, here.app('nothing', true))
    await runtime.append('orders', round(start))
    await until('all to be handled', () => here.count === (start + 1) * KEYS)
    await runtime.stop()
  }
  const { streamId } = await engine.log.describeStream('orders')
  const client = clientOf(endpoint)
  const { Consumers: consumers } = await client.send(
    new ListStreamConsumersCommand({ StreamARN: streamId.split('@')[0] }),
  )
  client.destroy()
  expect(consumers?.map(({ ConsumerName }) => ConsumerName)).toEqual(['shop-billing'])
})

test("a stream that is switched to AUTO refuses blocks: 'key', and takes blocks: 'nothing'", async () => {
  const here = deployed()
  const endpoint = await here.endpoint(eddysOwn)
  const engine = await here.engine(endpoint, {
    createStreams: 'on-demand',
    describedForMs: 0,
    allowAutoDistribution: true,
  })
  await (await here.start(engine, here.app('key'))).stop()
  const { streamId } = await engine.log.describeStream('orders')
  const client = clientOf(endpoint)
  await client.send(
    new UpdateStreamRecordDistributionStrategyCommand({
      StreamARN: streamId.split('@')[0],
      RecordDistributionStrategy: 'AUTO',
    }),
  )
  client.destroy()
  await expect(here.start(engine, here.app('key'))).rejects.toMatchObject({ code: 'EDDY_KEYS_IGNORED' })
  const runtime = await here.start(engine, here.app('nothing'))
  await runtime.append('orders', round(0))
  await until('all to be handled', () => here.count === KEYS)
})
