import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { GetRecordsCommand, GetShardIteratorCommand } from '@aws-sdk/client-kinesis'
import type { FailurePage, FailureStatus } from '@eddy/core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { kinesisClient } from '../../src/kinesis/index.ts'
import { queueNameOf } from '../../src/resources/index.ts'
import { type AwsWorld, startAwsWorld } from '../support/aws-world.ts'
import { DeployedApp } from '../support/functions/deployed-app.ts'
import { until } from './support/until.ts'
import { expectWrittenRights } from './support/written-rights.ts'

const FILE = fileURLToPath(new URL('./apps/rights-app.ts', import.meta.url))
/** What the constructs' roles are compared with: `npm run test:cdk`. */
const NEEDED = new URL('./needed-rights.json', import.meta.url)
/** Over the 64 KiB that an item holds of a payload, so that it lies in S3. */
const LARGE = 'x'.repeat(400_000)

let world: AwsWorld
let shop: DeployedApp
let folder: string

beforeAll(async () => {
  world = await startAwsWorld()
  folder = await mkdtemp(join(tmpdir(), 'eddy-rights-'))
  shop = await DeployedApp.deploy({ world, file: FILE, name: 'shop', calls: join(folder, 'calls.ndjson') })
})

afterAll(async () => {
  await shop?.stop()
  await world?.close()
  await rm(folder, { recursive: true, force: true })
})

const put = (customer: string, fails: boolean, filling = '') =>
  shop.http('POST', '/v1/streams/orders/records', {
    key: customer,
    type: 'order',
    data: { customer, fails, filling },
  })

const failures = (subscription: string, status: FailureStatus) =>
  shop.http<FailurePage>('GET', `/v1/failures?subscription=${subscription}&status=${status}`)

const some = ({ items }: FailurePage): boolean => items.length > 0
const logs = { logs: () => shop.logs }

/** The document of a batch that Lambda gave up, without its records: the rescue reads them again. */
async function lostBatch(): Promise<object> {
  const client = kinesisClient({
    endpoint: world.env.AWS_ENDPOINT_URL_KINESIS as string,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  })
  try {
    const shardId = 'shardId-000000000000'
    const StreamName = 'shop-orders'
    const { ShardIterator } = await client.send(
      new GetShardIteratorCommand({ StreamName, ShardId: shardId, ShardIteratorType: 'TRIM_HORIZON' }),
    )
    const { Records = [] } = await client.send(new GetRecordsCommand({ ShardIterator }))
    return {
      requestContext: {
        functionArn: shop.fn('live', 'charge').arn,
        condition: 'RetryAttemptsExhausted',
        approximateInvokeCount: 101,
      },
      KinesisBatchInfo: {
        shardId,
        startSequenceNumber: Records.at(-1)?.SequenceNumber,
        endSequenceNumber: Records.at(-1)?.SequenceNumber,
        batchSize: 1,
        streamArn: `arn:aws:kinesis:us-east-1:000000000000:stream/${StreamName}`,
      },
    }
  } finally {
    client.destroy()
  }
}

it('every function makes the calls that are written down for its role, and no others', async () => {
  shop.mapStream('charge')
  await shop.mapRetries('charge')
  await shop.mapRetries('mail')
  const emails = queueNameOf(shop.resources, 'queue/emails', true)
  shop.mapQueue(await shop.queueUrl(emails), emails, shop.fn('live', 'mail'))

  // A charge that fails with a large payload: its retries wait in SQS, then in a schedule.
  await put('ann', true, LARGE)
  await put('bob', false)
  const { items } = await until(() => failures('charge', 'retrying'), some, logs)
  await until(
    () => world.scheduler.requests.filter(({ operation }) => operation === 'CreateSchedule').length,
    (count) => count > 0,
    logs,
  )
  // The mail of bob's charge fails until it is dead, and is redriven.
  const dead = await until(() => failures('mail', 'dead'), some, logs)
  await shop.http('POST', '/v1/redrives', {
    filter: { subscription: 'mail', status: 'dead' },
    by: 'test',
    allowOutOfOrder: true,
  })
  await shop.http('POST', '/v1/queues/emails/messages', { data: { customer: 'cid', fails: false } })
  await shop.http('GET', `/v1/failures/${encodeURIComponent(items[0]?.id ?? '')}`)
  await shop.http('GET', '/v1/subscriptions')
  await shop.http('GET', '/v1/streams')
  await shop.http('GET', '/v1/streams/orders')
  await shop.http('GET', '/v1/queues')
  expect(dead.items).toHaveLength(1)
  // What ann's charge waits for is taken back.
  await shop.http('POST', '/v1/failures/drop', { filter: { subscription: 'charge' }, by: 'test' })

  await shop.rescue(await lostBatch())
  const bucket = shop.failuresToS3()
  if (bucket.type === 's3') await bucket.put('aws/lambda/batch', JSON.stringify(await lostBatch()))
  await shop.sweep()

  expectWrittenRights(join(folder, 'calls.ndjson'), NEEDED)
})
