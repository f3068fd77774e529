import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type AwsWorld, SCHEDULER_ROLE, startAwsWorld } from '../support/aws-world.ts'
import { type EddyProcess, startEddy } from '../support/eddy-process.ts'
import { neededRights, readCalls, recordingEnv, violationsOf } from '../support/recorded-calls.ts'

const APP = fileURLToPath(new URL('../apps/orders.ts', import.meta.url))
const CUSTOMERS = 40
const ORDERS_EACH = 25
const PATIENCE_MS = 100_000

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
  const argv = [APP, '--engine', 'aws', '--create', '--worker', name, '--lease', '3s', '--log-level', 'info']
  const worker = await startEddy(argv, {
    ...world.env,
    ...recordingEnv(join(folder, 'calls.ndjson'), 'worker'),
    EDDY_NAME: 'shop',
    EDDY_BUCKET: 'shop-payloads',
    EDDY_SCHEDULER_ROLE_ARN: SCHEDULER_ROLE,
    ORDERS_FILE: join(folder, 'orders.log'),
    ORDERS_WORKER: name,
    ORDERS_FAILING: '3',
  })
  running.push(worker)
  return worker
}

interface Note {
  readonly what: 'begin' | 'end'
  readonly worker: string
  readonly customer: string
  readonly number: number
}

async function notes(): Promise<readonly Note[]> {
  const text = await readFile(join(folder, 'orders.log'), 'utf8').catch(() => '')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [what, worker, customer, number] = line.split(' ') as [Note['what'], string, string, string]
      return { what, worker, customer, number: Number(number) }
    })
}

async function until(what: string, done: (notes: readonly Note[]) => boolean): Promise<readonly Note[]> {
  const deadline = AbortSignal.timeout(PATIENCE_MS)
  for (;;) {
    const seen = await notes()
    if (done(seen)) return seen
    if (deadline.aborted) {
      const logs = running.map((worker) => worker.stderr().slice(-3_000)).join('\n---\n')
      throw new Error(`not within ${PATIENCE_MS} ms: ${what}; ${seen.length} notes\n${logs}`)
    }
    await sleep(50)
  }
}

/** How often each order was done, in the order in which a customer's were first done. */
function doneOf(seen: readonly Note[]): ReadonlyMap<string, readonly number[]> {
  const done = new Map<string, number[]>()
  for (const { what, customer, number } of seen) {
    if (what !== 'end') continue
    const numbers = done.get(customer) ?? []
    if (!numbers.includes(number)) numbers.push(number)
    done.set(customer, numbers)
  }
  return done
}

const ofWorker = (seen: readonly Note[], name: string) => seen.filter(({ worker }) => worker === name)

it('I2, I3: two workers, one killed with work in flight: every order is done, each customer’s in order', async () => {
  const [first] = await Promise.all([startWorker('one'), startWorker('two')])
  const records = Array.from({ length: CUSTOMERS * ORDERS_EACH }, (_, at) => ({
    key: `c${at % CUSTOMERS}`,
    data: { number: Math.floor(at / CUSTOMERS) },
  }))
  for (let from = 0; from < records.length; from += 250) {
    const response = await fetch(`${first.url}/v1/streams/orders/records`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(records.slice(from, from + 250)),
    })
    expect(response.status).toBe(200)
  }
  // Both share the stream, and the one that dies has begun what it does not finish.
  await until('both workers have orders', (seen) =>
    ['one', 'two'].every((name) => ofWorker(seen, name).length >= 40),
  )
  await first.kill()
  const left = ofWorker(await notes(), 'one')
  const begun = left.filter(({ what }) => what === 'begin').length
  expect(begun).toBeGreaterThan(left.filter(({ what }) => what === 'end').length)

  const seen = await until(
    'every order is done',
    (all) => [...doneOf(all).values()].reduce((sum, numbers) => sum + numbers.length, 0) === records.length,
  )
  const inOrder = Array.from({ length: ORDERS_EACH }, (_, number) => number)
  for (const [customer, numbers] of doneOf(seen)) expect([customer, numbers]).toEqual([customer, inOrder])
  expect(doneOf(seen).size).toBe(CUSTOMERS)

  // A stop hands over within its bound: the next worker goes on at once, with nothing to replay.
  expect(await running[1]?.stop()).toBe(0)

  const calls = readCalls(join(folder, 'calls.ndjson'))
  expect(violationsOf(calls)).toEqual([])
  expect(neededRights(calls).map(({ action }) => action)).toEqual(
    expect.arrayContaining(['kinesis:GetRecords', 'sqs:SendMessage', 'dynamodb:PutItem']),
  )
  // The second worker found the group of schedules that the first one had made.
  expect(world.scheduler.refusals.filter((refusal) => !refusal.startsWith('ConflictException'))).toEqual([])
})
