import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FailurePage, FailureStatus } from '@eddy/core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { resourceEnv } from '../../src/resources/index.ts'
import { type AwsWorld, startAwsWorld } from '../support/aws-world.ts'
import { type EddyProcess, startEddy } from '../support/eddy-process.ts'
import { DeployedApp } from '../support/functions/deployed-app.ts'
import { recordingEnv } from '../support/recorded-calls.ts'
import { until } from './support/until.ts'
import { expectWrittenRights } from './support/written-rights.ts'

const FILE = fileURLToPath(new URL('./apps/rights-app.ts', import.meta.url))
/** More than an item holds, so that it lies in S3. */
const LARGE = 'x'.repeat(400_000)

let world: AwsWorld
let shop: DeployedApp
let worker: EddyProcess
let folder: string

beforeAll(async () => {
  world = await startAwsWorld()
  folder = await mkdtemp(join(tmpdir(), 'eddy-worker-rights-'))
  // What a deployment makes; none of it is the worker's to make.
  shop = await DeployedApp.deploy({ world, file: FILE, name: 'shop' })
  worker = await startEddy([FILE, '--engine', 'aws', '--worker', 'one'], {
    ...world.env,
    ...resourceEnv(shop.resources),
    ...recordingEnv(join(folder, 'calls.ndjson'), 'worker'),
  })
})

afterAll(async () => {
  await worker?.kill()
  await shop?.stop()
  await world?.close()
  await rm(folder, { recursive: true, force: true })
})

async function http<T>(method: string, path: string, body?: object): Promise<T> {
  const response = await fetch(`${worker.url}${path}`, {
    method,
    ...(body !== undefined && {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  })
  const text = await response.text()
  expect(response.ok, `${method} ${path}: ${response.status} ${text}`).toBe(true)
  return (text === '' ? undefined : JSON.parse(text)) as T
}

const put = (customer: string, fails: boolean, filling = '') =>
  http('POST', '/v1/streams/orders/records', {
    key: customer,
    type: 'order',
    data: { customer, fails, filling },
  })

const failures = (subscription: string, status: FailureStatus) =>
  http<FailurePage>('GET', `/v1/failures?subscription=${subscription}&status=${status}`)

const some = ({ items }: FailurePage): boolean => items.length > 0
const logs = { logs: () => worker.stderr() }

it('a worker makes the calls that are written down for its role, and no others', async () => {
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
  expect(dead.items).toHaveLength(1)
  await http('POST', '/v1/redrives', {
    filter: { subscription: 'mail', status: 'dead' },
    by: 'test',
    allowOutOfOrder: true,
  })
  await http('POST', '/v1/queues/emails/messages', { data: { customer: 'cid', fails: false } })
  await http('GET', `/v1/failures/${encodeURIComponent(items[0]?.id ?? '')}`)
  for (const path of ['/v1/subscriptions', '/v1/streams', '/v1/streams/orders', '/v1/queues'])
    await http('GET', path)
  // What ann's charge waits for is taken back.
  await http('POST', '/v1/failures/drop', { filter: { subscription: 'charge' }, by: 'test' })
  await http('POST', '/v1/queues/emails/purge', { by: 'test' })
  expect(await worker.stop()).toBe(0)
  expectWrittenRights(join(folder, 'calls.ndjson'), new URL('./worker-rights.json', import.meta.url))
})
