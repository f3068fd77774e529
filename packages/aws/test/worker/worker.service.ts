import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type AwsWorld, SCHEDULER_ROLE, startAwsWorld } from '../support/aws-world.ts'
import { type EddyProcess, startEddy } from '../support/eddy-process.ts'
import { killInFlight } from '../support/kill-in-flight.ts'
import { neededRights, readCalls, recordingEnv, violationsOf } from '../support/recorded-calls.ts'
import { brokenOrder, doneOrders, inFlightOf, type OrderNote, readOrderNotes } from './support/order-notes.ts'

const APP = fileURLToPath(new URL('../apps/orders.ts', import.meta.url))
const CUSTOMERS = 40
const ORDERS_EACH = 25
const PATIENCE_MS = 120_000

let world: AwsWorld
let folder = ''
const running: EddyProcess[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eddy-worker-'))
  world = await startAwsWorld()
})

afterEach(async () => {
  for (const worker of running.splice(0)) await worker.kill()
  await world?.close()
  await rm(folder, { recursive: true, force: true })
})

async function startWorker(name: string): Promise<EddyProcess> {
  const argv = [APP, '--engine', 'aws', '--create', '--worker', name, '--lease', '3s']
  const worker = await startEddy(argv, {
    ...world.env,
    ...recordingEnv(join(folder, 'calls.ndjson'), 'worker'),
    EDDY_NAME: 'shop',
    EDDY_BUCKET: 'shop-payloads',
    EDDY_SCHEDULER_ROLE_ARN: SCHEDULER_ROLE,
    ORDERS_FILE: join(folder, 'orders.log'),
    ORDERS_WORKER: name,
    ORDERS_FAILING: '3',
    // As the agent of ECS sets it: metrics go to standard output.
    ECS_CONTAINER_METADATA_URI_V4: 'http://127.0.0.1/v4/worker',
  })
  running.push(worker)
  return worker
}

const notes = (): readonly OrderNote[] => readOrderNotes(join(folder, 'orders.log'))

async function put(worker: EddyProcess, records: readonly object[]): Promise<void> {
  const response = await fetch(`${worker.url}/v1/streams/orders/records`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(records),
  })
  expect(response.status).toBe(200)
}

async function until(
  what: string,
  done: (notes: readonly OrderNote[]) => boolean,
): Promise<readonly OrderNote[]> {
  const deadline = AbortSignal.timeout(PATIENCE_MS)
  for (;;) {
    const seen = notes()
    if (done(seen)) return seen
    if (deadline.aborted) {
      const logs = running.map((worker) => worker.stderr().slice(-3_000)).join('\n---\n')
      throw new Error(`not within ${PATIENCE_MS} ms: ${what}; ${seen.length} notes\n${logs}`)
    }
    await sleep(50)
  }
}

it('I2, I3: two workers, one killed with work in flight: every order is done, each customer’s in order', async () => {
  const [first, second] = await Promise.all([startWorker('one'), startWorker('two')])
  const records = Array.from({ length: CUSTOMERS * ORDERS_EACH }, (_, at) => ({
    key: `c${at % CUSTOMERS}`,
    data: { number: Math.floor(at / CUSTOMERS) },
  }))
  for (let from = 0; from < records.length; from += 250) {
    await put(first, records.slice(from, from + 250))
  }
  await until('both workers have orders', (seen) =>
    ['one', 'two'].every((name) => seen.filter(({ worker }) => worker === name).length >= 40),
  )
  const inFlight = (): number => inFlightOf(notes(), 'one')
  expect(await killInFlight(() => [{ pid: first.pid, inFlight, kill: () => first.kill() }])).toBeGreaterThan(
    0,
  )

  const seen = await until('every order is done', (all) => doneOrders(all) === records.length)
  expect(brokenOrder(seen)).toEqual([])

  // A stop hands over within its bound: the next worker goes on at once, with nothing to replay.
  expect(await second.stop()).toBe(0)
  // It tells at its stop what it counted since the last minute. A result that came too late is no count.
  const handled = metricsOf(second).reduce((sum, { Handled = 0 }) => sum + Handled, 0)
  const ended = notes().filter(({ worker, what }) => worker === 'two' && what === 'end').length
  expect(handled).toBeLessThanOrEqual(ended)
  expect(handled).toBeGreaterThan(ended * 0.9)

  const calls = readCalls(join(folder, 'calls.ndjson'))
  expect(violationsOf(calls)).toEqual([])
  expect(neededRights(calls).map(({ action }) => action)).toEqual(
    expect.arrayContaining(['kinesis:GetRecords', 'sqs:SendMessage', 'dynamodb:PutItem']),
  )
  // The second worker found the group of schedules that the first one had made.
  expect(world.scheduler.refusals.filter((refusal) => !refusal.startsWith('ConflictException'))).toEqual([])
})

/** What CloudWatch Logs would make metrics of. */
function metricsOf(worker: EddyProcess): readonly { readonly Handled?: number }[] {
  const lines = worker.stdout().split('\n')
  const parsed = lines.filter((line) => line.includes('"_aws"')).map((line) => JSON.parse(line))
  for (const line of parsed) expect(line).toMatchObject({ Application: 'shop', Subscription: 'charge' })
  return parsed
}
