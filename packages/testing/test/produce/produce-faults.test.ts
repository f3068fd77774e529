import {
  decodeEvent,
  KINESIS_LIMITS,
  type LogRecord,
  type NewEvent,
  type Ordering,
  Producer,
  type ProducerLog,
  type ReadRequest,
  type ReadResult,
  type ShardInfo,
  type StartPosition,
} from '@eddy/core'
import { describe, expect, test } from 'vitest'
import { Prng } from '../../src/clock/prng.ts'
import { quietFaults, roughFaults } from '../../src/sim/fault-plan.ts'
import type { SimEngine } from '../../src/sim/process/sim-engine.ts'
import { SimWorld } from '../../src/sim/sim-world.ts'

/**
 * Writers against a log that refuses entries, loses answers and rejects calls, while a person splits and merges shards:
 * nothing is lost (I1), a key keeps its order (I3), and copies are only where the log does not drop them, marked.
 *
 * `EDDY_PRODUCE_SEED=7` replays one seed, `EDDY_PRODUCE_SEEDS=500` plays as many.
 */
const ONLY = process.env.EDDY_PRODUCE_SEED
const COUNT = Number(process.env.EDDY_PRODUCE_SEEDS ?? 40)
const SEEDS = ONLY === undefined ? Array.from({ length: COUNT }, (_, index) => index + 1) : [Number(ONLY)]

const STREAM = 'orders'
const ORDERINGS: readonly Ordering[] = ['key', 'key', 'strict', 'none']

interface Scenario {
  readonly seed: number
  readonly ordering: Ordering
  readonly writers: number
  readonly events: number
  readonly keys: number
  readonly shards: number
  readonly isLimited: boolean
  readonly dropsCopies: boolean
  readonly reshardings: number
}

function scenarioOf(seed: number): Scenario {
  const dice = new Prng(`${seed}/scenario`)
  const ordering = dice.pick(ORDERINGS)
  return {
    seed,
    ordering,
    writers: 1 + dice.int(3),
    // One at a time a shard takes its time.
    events: 50 + dice.int(ordering === 'strict' ? 60 : 350),
    keys: 1 + dice.int(25),
    shards: 1 + dice.int(4),
    isLimited: dice.chance(0.6),
    dropsCopies: dice.chance(0.6),
    reshardings: dice.int(4),
  }
}

describe('producers under faults and resharding', () => {
  test.each(SEEDS)('seed %d: nothing lost, order kept, copies marked (I1, I3)', async (seed) => {
    const scenario = scenarioOf(seed)
    const world = new SimWorld({ seed, faults: quietFaults })
    const engine = world.boot()
    const { clock } = world
    await clock.settle(createStream(engine, scenario))
    world.faults = roughFaults
    const isDone = { value: false }
    const resharding = reshard(engine, scenario, isDone)
    const writing = Array.from({ length: scenario.writers }, (_, writer) => write(engine, scenario, writer))
    const failed = (await clock.settle(Promise.all(writing))).flat()
    isDone.value = true
    await clock.settle(resharding)
    world.faults = quietFaults
    expect({ scenario, failed }).toEqual({ scenario, failed: [] })
    const records = await clock.settle(readAll(engine))
    check(scenario, records)
  })
})

async function createStream(engine: SimEngine, { shards, isLimited }: Scenario): Promise<void> {
  // Slow enough for the little that a seed writes to meet its limits.
  const limits = { ...KINESIS_LIMITS, writeRecordsPerSecond: 60 }
  await engine.log.createStream({
    name: STREAM,
    shardCount: shards,
    retentionMs: 86_400_000,
    durability: 'fsync',
    ...(isLimited && { limits }),
  })
}

/** @returns what was not accepted */
async function write(engine: SimEngine, scenario: Scenario, writer: number): Promise<readonly string[]> {
  const dice = new Prng(`${scenario.seed}/writer/${writer}`)
  const { log, clock, md5Hex } = engine
  const producer = new Producer({
    log: scenario.dropsCopies ? log : withoutMarksOfItsOwn(log),
    clock,
    md5Hex,
    maxTries: 100,
    giveUpAfterMs: 3_600_000,
    maxInFlight: 1 + dice.int(8),
  })
  const source = async function* (): AsyncGenerator<NewEvent> {
    for (let n = 0; n < scenario.events; n += 1) {
      if (dice.chance(0.05)) await clock.sleep(dice.int(300))
      yield { key: `${writer}/${dice.int(scenario.keys)}`, data: { n, writer }, id: `${writer}/${n}` }
    }
  }
  const failed: string[] = []
  const told = new Set<number>()
  await producer.produce(STREAM, source(), {
    ordering: scenario.ordering,
    maxBufferedRecords: 1 + dice.int(200),
    onOutcome: (outcome, index) => {
      if (told.has(index)) failed.push(`${writer}/${index} was told twice`)
      told.add(index)
      if (!outcome.ok) failed.push(`${writer}/${index}: ${outcome.code} ${outcome.message}`)
    },
  })
  if (told.size !== scenario.events) failed.push(`writer ${writer} was told of ${told.size}`)
  return failed
}

/** A log as Kinesis is one: it knows nothing of producers. */
function withoutMarksOfItsOwn(log: ProducerLog): ProducerLog {
  return {
    get keepsKeyOrder() {
      return log.keepsKeyOrder
    },
    dropsCopies: false,
    describeStream: (name) => log.describeStream(name),
    listShards: (name) => log.listShards(name),
    append: (name, entries) =>
      log.append(
        name,
        entries.map(({ producerId: _id, producerSequence: _sequence, ...entry }) => entry),
      ),
  }
}

async function reshard(
  engine: SimEngine,
  scenario: Scenario,
  isDone: { readonly value: boolean },
): Promise<void> {
  const dice = new Prng(`${scenario.seed}/operator`)
  const { log, clock } = engine
  for (let left = scenario.reshardings; left > 0 && !isDone.value; left -= 1) {
    await clock.sleep(200 + dice.int(1_500))
    // An operator whose command fails looks again later.
    await changeShards(engine, dice, await log.listShards(STREAM).catch(() => [])).catch(() => undefined)
  }
}

async function changeShards({ log }: SimEngine, dice: Prng, shards: readonly ShardInfo[]): Promise<void> {
  const open = shards
    .filter((shard) => shard.endingSequenceNumber === undefined)
    .sort((a, b) => (BigInt(a.startingHashKey) < BigInt(b.startingHashKey) ? -1 : 1))
  if (open.length === 0) return
  const at = dice.int(open.length)
  const shard = open[at] as ShardInfo
  const next = open[at + 1]
  if (next !== undefined && dice.chance(0.5)) {
    await log.merge(STREAM, shard.shardId, next.shardId)
    return
  }
  const middle = (BigInt(shard.startingHashKey) + BigInt(shard.endingHashKey)) / 2n
  await log.split(STREAM, shard.shardId, String(middle))
}

interface Stored extends LogRecord {
  readonly shardId: string
}

/** Parents before children, each shard in its order: what a reader sees of any key. */
async function readAll({ log }: SimEngine): Promise<readonly Stored[]> {
  const records: Stored[] = []
  const shards = [...(await log.listShards(STREAM))].sort((a, b) => a.depth - b.depth)
  for (const { shardId } of shards) {
    let from: StartPosition | undefined = { at: 'trim_horizon' }
    for (let page = 0; page < 1_000 && from !== undefined; page += 1) {
      const request: ReadRequest = {
        stream: STREAM,
        shardId,
        from,
        maxRecords: 1_000,
        maxBytes: 10_000_000,
        waitMs: 0,
      }
      const read: ReadResult | undefined = await log.read(request).catch(() => undefined)
      if (read === undefined) continue
      records.push(...read.records.map((record) => ({ ...record, shardId })))
      if (read.records.length === 0 && read.millisBehindLatest === 0) break
      from = read.next
    }
  }
  return records
}

function check(scenario: Scenario, records: readonly Stored[]): void {
  const seen = new Map<string, string>()
  const lastOfKey = new Map<string, number>()
  const problems: string[] = []
  for (const record of records) {
    const event = decodeEvent(record.data)
    const { n } = event.data as { n: number }
    const mark = `${event.eddyproducer} ${event.eddysequence}`
    if (scenario.dropsCopies !== (event.eddyproducer === undefined))
      problems.push(`${event.id} has mark ${mark}`)
    const first = seen.get(event.id)
    if (first !== undefined) {
      if (scenario.dropsCopies) problems.push(`${event.id} is there twice`)
      else if (first !== mark) problems.push(`${event.id} has the marks ${first} and ${mark}`)
      continue
    }
    seen.set(event.id, mark)
    const last = lastOfKey.get(record.partitionKey) ?? -1
    if (scenario.ordering !== 'none' && n < last) problems.push(`${event.id} came after ${last}`)
    lastOfKey.set(record.partitionKey, Math.max(last, n))
  }
  const lost = scenario.events * scenario.writers - seen.size
  expect({ scenario, lost, problems }).toEqual({ scenario, lost: 0, problems: [] })
}
