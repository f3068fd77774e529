import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KinesisProducerLog, kinesisClient } from '@eddy/aws/kinesis'
import { openAwsEndpoint } from '@eddy/server/aws'
import { createProducer, defineApp, open, stream, subscribe } from 'eddy'
import { expect, onTestFinished, test } from 'vitest'
import { ACCESS } from './support/endpoint.ts'

const COUNT = 3_000
const KEYS = 40

test('a producer over the Kinesis API aggregates: a few records under Kinesis limits, each event handled once and in its order', async () => {
  const handled = new Map<string, number[]>()
  let left = COUNT
  let done: () => void = () => undefined
  const allHandled = new Promise<void>((resolve) => {
    done = resolve
  })
  const clicks = stream('clicks', { shards: 2, limits: 'kinesis' })
  const app = defineApp({
    subscriptions: [
      subscribe('count', clicks, {
        handle: ({ data }, { key, subSequenceNumber }) => {
          expect(subSequenceNumber === undefined || subSequenceNumber >= 0).toBe(true)
          handled.set(key, [...(handled.get(key) ?? []), (data as { n: number }).n])
          left -= 1
          if (left === 0) done()
        },
      }),
    ],
  })
  const dataDir = await mkdtemp(join(tmpdir(), 'eddy-aggregation-'))
  const eddy = await open(app, { dataDir })
  const { engine } = eddy
  const streamsChanged = () => eddy.streamsChanged()
  const { region } = ACCESS
  const server = await openAwsEndpoint({
    engine,
    streamsChanged,
    host: '127.0.0.1',
    port: 0,
    region,
    limits: 'kinesis',
    instant: true,
  })
  const client = kinesisClient({ endpoint: server.url, ...ACCESS })
  onTestFinished(async () => {
    client.destroy()
    await server.close()
    await eddy.close()
    await rm(dataDir, { recursive: true, force: true })
  })
  const producer = createProducer(new KinesisProducerLog({ client }))
  const events = Array.from({ length: COUNT }, (_, n) => ({ key: `user-${n % KEYS}`, data: { n } }))
  const report = await producer.produce('clicks', events, { aggregate: true })
  expect(report).toMatchObject({ end: 'done', accepted: COUNT, failed: 0 })
  let stored = 0
  for (const { shardId } of await engine.log.listShards('clicks'))
    stored += (await engine.log.countRecords?.('clicks', shardId, { at: 'trim_horizon' })) ?? 0
  expect(stored).toBeLessThan(COUNT / 20)
  await allHandled
  for (const numbers of handled.values()) expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
  expect([...handled.values()].flat()).toHaveLength(COUNT)
})
