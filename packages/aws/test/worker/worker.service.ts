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
const PATIENCE_MS = 60_000

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

interface WorkerOptions {
  readonly leaseMs?: number
  readonly shards?: number
  /** Attempts in a hundred. */
  readonly failing?: number
  readonly handleMs?: number
}

async function startWorker(
  name: string,
  { leaseMs = 3_000, shards = 4, failing = 3, handleMs = 15 }: WorkerOptions = {},
): Promise<EddyProcess> {
  const argv = [APP, '--engine', 'aws', '--create', '--worker', name, '--lease', `${leaseMs}ms`]
  const worker = await startEddy(argv, {
    ...world.env,
    ...recordingEnv(join(folder, 'calls.ndjson'), 'worker'),
    EDDY_NAME: 'shop',
    EDDY_BUCKET: 'shop-payloads',
    EDDY_SCHEDULER_ROLE_ARN: SCHEDULER_ROLE,
    ORDERS_FILE: join(folder, 'orders.log'),
    ORDERS_WORKER: name,
    ORDERS_FAILING: String(failing),
    ORDERS_SHARDS: String(shards),
    ORDERS_HANDLE_MS: String(handleMs),
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

async function put(worker: EddyProcess, records: readonly object[]): Promise<void> {
  const response = await fetch(`${worker.url}/v1/streams/orders/records`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(records),
  })
  expect(response.status).toBe(200)
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

/** Begun and not ended. */
function inFlightOf(seen: readonly Note[], name: string): number {
  const own = ofWorker(seen, name)
  return own.filter(({ what }) => what === 'begin').length - own.filter(({ what }) => what === 'end').length
}

it('I2, I3: two workers, one killed with work in flight: every order is done, each customer’s in order', async () => {
  const [first] = await Promise.all([startWorker('one'), startWorker('two')])
  const records = Array.from({ length: CUSTOMERS * ORDERS_EACH }, (_, at) => ({
    key: `c${at % CUSTOMERS}`,
    data: { number: Math.floor(at / CUSTOMERS) },
  }))
  for (let from = 0; from < records.length; from += 250) {
    await put(first, records.slice(from, from + 250))
  }
  // Both share the stream, and the one that dies has begun what it does not finish.
  await until('both workers have orders', (seen) =>
    ['one', 'two'].every((name) => ofWorker(seen, name).length >= 40),
  )
  await first.kill()
  expect(inFlightOf(await notes(), 'one')).toBeGreaterThan(0)

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

/** Of the shards of the stream, how many each worker has; by what one of them says. */
async function sharesOf(worker: EddyProcess): Promise<Readonly<Record<string, number>>> {
  const answer = await fetch(`${worker.url}/v1/subscriptions/charge`)
  const { shards } = (await answer.json()) as { shards: readonly { owner?: string }[] }
  const shares: Record<string, number> = {}
  for (const { owner: name = 'nobody' } of shards) shares[name] = (shares[name] ?? 0) + 1
  return shares
}

async function untilShares(
  worker: EddyProcess,
  isDone: (shares: readonly number[]) => boolean,
  names: readonly string[],
) {
  const deadline = AbortSignal.timeout(PATIENCE_MS)
  for (;;) {
    const shares = await sharesOf(worker)
    if (isDone(names.map((name) => shares[name] ?? 0))) return
    if (deadline.aborted) throw new Error(`not within ${PATIENCE_MS} ms: ${JSON.stringify(shares)}`)
    await sleep(50)
  }
}

it('8 shards: what a killed worker had is read again within the lease and 2 s; a third worker gets its share', async () => {
  const options = { leaseMs: 6_000, shards: 8, failing: 0, handleMs: 100 }
  const [one, two] = await Promise.all([startWorker('one', options), startWorker('two', options)])
  const areEqual = (shares: readonly number[]): boolean => shares.every((share) => share === 4)
  await untilShares(two, areEqual, ['one', 'two'])

  // Orders of 64 customers, which lie in all shards, again and again.
  let number = 0
  const customers = Array.from({ length: 64 }, (_, at) => `c${at}`)
  const round = async (): Promise<void> => {
    await put(
      two,
      customers.map((key) => ({ key, data: { number } })),
    )
    number += 1
  }
  await round()
  // A kill counts with work in flight.
  const putting = round()
  await until('the first worker has begun what it has not finished', (seen) => inFlightOf(seen, 'one') > 4)
  await one.kill()
  const killedAtMs = performance.now()
  expect(inFlightOf(await notes(), 'one')).toBeGreaterThan(0)
  await putting
  await round()
  const last = number - 1
  await until('every customer’s last order is done', (seen) =>
    customers.every((customer) => doneOf(seen).get(customer)?.includes(last) === true),
  )
  expect(performance.now() - killedAtMs).toBeLessThan(options.leaseMs + 2_000)
  const inOrder = Array.from({ length: number }, (_, at) => at)
  for (const [customer, numbers] of doneOf(await notes()))
    expect([customer, numbers]).toEqual([customer, inOrder])

  await startWorker('three', options)
  const startedAtMs = performance.now()
  await untilShares(two, areEqual, ['two', 'three'])
  // A lease is renewed three times in its time.
  expect(performance.now() - startedAtMs).toBeLessThan(options.leaseMs)
})
