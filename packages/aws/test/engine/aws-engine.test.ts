import { type Blocks, defineApp, isApp, logSink, silentLogger, stream, subscribe } from '@eddy/core'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { awsEngine, MissingPackageError, withTopic } from '../../src/engine/index.ts'
import { loadService } from '../../src/engine/load-service.ts'
import { endpointOf } from '../../src/engine/service-endpoints.ts'
import { startService } from '../support/kinesalite.ts'

const app = defineApp({ streams: [], subscriptions: [], notify: [logSink(silentLogger)] })

describe('The engine on AWS', () => {
  it('finds the address of a service where the AWS SDK does', () => {
    const env = { AWS_ENDPOINT_URL: 'http://all', AWS_ENDPOINT_URL_SQS: 'http://queues' }
    expect(endpointOf('sqs', env)).toBe('http://queues')
    expect(endpointOf('s3', env)).toBe('http://all')
    expect(endpointOf('s3', { AWS_ENDPOINT_URL: '' })).toBeUndefined()
    expect(endpointOf('sqs', { ...env, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' })).toBeUndefined()
  })

  it('names the client that is to be installed, and how', async () => {
    const name = '@aws-sdk/client-none'
    const error = await loadService(name, 'Amazon None', () => import(/* @vite-ignore */ name)).catch(
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(MissingPackageError)
    expect(error).toMatchObject({
      code: 'EDDY_MISSING_PACKAGE',
      message: expect.stringContaining(`npm install ${name}`),
    })
    const bug = new Error('of the module itself')
    await expect(loadService(name, 'Amazon None', () => Promise.reject(bug))).rejects.toBe(bug)
  })

  it('is refused with resources that are none, before anything is loaded', async () => {
    await expect(awsEngine({ app, resources: { name: 'Shop', bucket: 'b' } })).rejects.toMatchObject({
      code: 'EDDY_INVALID_OPTION',
      message: expect.stringContaining('resources.name'),
    })
  })

  it('is refused where neither the environment nor the profile names a region', async () => {
    const nowhere = { AWS_REGION: undefined, AWS_CONFIG_FILE: '/none', AWS_SHARED_CREDENTIALS_FILE: '/none' }
    for (const [name, value] of Object.entries(nowhere)) vi.stubEnv(name, value)
    onTestFinished(() => void vi.unstubAllEnvs())
    const opening = awsEngine({ app, resources: { name: 'shop', bucket: 'b' }, env: {} })
    await expect(opening).rejects.toThrow(
      "AWS_REGION: expected the region of the application's resources, such as eu-west-1, here or in the AWS profile",
    )
  })

  it('opens without a request, and closes', async () => {
    const env = { AWS_REGION: 'eu-west-1', AWS_ENDPOINT_URL: 'http://127.0.0.1:9' }
    const engine = await awsEngine({
      app,
      resources: { name: 'shop', bucket: 'shop-payloads' },
      env,
      load: 'late',
    })
    expect(engine.md5Hex('a')).toBe('0cc175b9c0f1b6a831c399e269772661')
    await engine.close()
    await expect(engine.table.get({ partition: 'p', sort: 's' })).rejects.toMatchObject({
      code: 'EDDY_ENGINE_CLOSED',
    })
  })

  it('has the topic of its resources among the sinks of the application', async () => {
    expect(await withTopic(app, {})).toBe(app)
    const told = await withTopic(app, { topicArn: 'arn:aws:sns:eu-west-1:123456789012:told' }, {})
    expect(isApp(told)).toBe(true)
    expect(told.notify.map(({ name }) => name)).toEqual(['log', 'sns'])
  })

  it('appends to a stream that ignores keys where no subscription of it needs their order', async () => {
    const service = await startService(({ operation, input }) => ({
      status: 200,
      body: operation === 'DescribeStreamSummary' ? AUTO : stored(input.Records as unknown[]),
    }))
    const open = async (...all: readonly Blocks[]) =>
      await awsEngine({
        app: defineApp({ streams: [clicks], subscriptions: all.map(reader) }),
        resources: { name: 'shop', bucket: 'shop-payloads' },
        env: { AWS_REGION: 'eu-west-1', AWS_ENDPOINT_URL: service.endpoint, ...KEYS },
        load: 'late',
      })
    try {
      for (const all of [['nothing'], ['nothing', 'nothing']] as const) {
        const engine = await open(...all)
        expect(await engine.log.append('clicks', [record])).toMatchObject([{ ok: true }])
        await engine.close()
      }
      // Nobody here reads it: others may, in order.
      for (const all of [[], ['nothing', 'key'], ['shard']] as const) {
        const engine = await open(...all)
        await expect(engine.log.append('clicks', [record])).rejects.toMatchObject({
          code: 'EDDY_KINESIS_REFUSED',
          message: expect.stringContaining("blocks: 'nothing'"),
        })
        await engine.close()
      }
    } finally {
      await service.close()
    }
  })
})

const KEYS = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' }
const clicks = stream('clicks', { shards: 1 })
const record = { partitionKey: 'k', data: new Uint8Array(1) }

const AUTO = {
  StreamDescriptionSummary: {
    StreamName: 'shop-clicks',
    StreamARN: 'arn:aws:kinesis:eu-west-1:000000000000:stream/shop-clicks',
    StreamStatus: 'ACTIVE',
    RetentionPeriodHours: 24,
    StreamCreationTimestamp: 1_700_000_000,
    EnhancedMonitoring: [],
    OpenShardCount: 1,
    RecordDistributionStrategy: 'AUTO',
  },
}

function stored(records: readonly unknown[]): object {
  const one = { ShardId: 'shardId-000000000000', SequenceNumber: '1' }
  return { FailedRecordCount: 0, Records: records.map(() => one) }
}

function reader(blocks: Blocks, index: number) {
  const exhausted = 'dead-letter'
  return subscribe(`reader-${index}`, clicks, { failure: { blocks, exhausted }, handle: () => undefined })
}
