import { type NewEvent, type ProduceOptions, type ProduceReport, Producer } from '@eddy/core'
import { describe, expect, test } from 'vitest'
import { Prng } from '../../src/clock/prng.ts'
import { type Harness, roughFaults } from '../../src/index.ts'
import type { SimEngine } from '../../src/sim/process/sim-engine.ts'
import { oneSubscription, openHarness } from '../support/one-subscription.ts'

const SEEDS = 30
const KEYS = ['a', 'b', 'c', 'd', 'e', 'f']

function numbered(count: number, keys: readonly string[] = KEYS): NewEvent[] {
  return Array.from({ length: count }, (_, index) => {
    const key = keys[index % keys.length] as string
    return { key, id: `${key}-${Math.floor(index / keys.length)}`, data: 'x'.repeat((index * 37) % 120) }
  })
}

/** A producer in a process of its own. */
function producerOf(engine: SimEngine): Producer {
  const { log, clock, md5, md5Hex } = engine
  return new Producer({ log, clock, md5, md5Hex, maxTries: 100, giveUpAfterMs: 3_600_000 })
}

function produced(
  h: Harness,
  engine: SimEngine,
  options: ProduceOptions<NewEvent>,
  count: number,
): Promise<ProduceReport<NewEvent>> {
  return h.clock.settle(producerOf(engine).produce('events', numbered(count), options))
}

function recordsOf(h: Harness): number {
  return h.world.store.allRecords('events').length
}

describe('a producer that aggregates', () => {
  test('sends few records for many events, and each is handled once, in the order of its key (I3)', async () => {
    const h = await openHarness(oneSubscription({ blocks: 'key', exhausted: 'hold' }, { shards: 3 }))
    const report = await produced(h, h.world.boot(), { aggregate: true }, 1_200)
    expect(report).toMatchObject({ end: 'done', accepted: 1_200, failed: 0, resent: 0 })
    expect(recordsOf(h)).toBeLessThan(30)
    await h.settle()
    expect(h.calls('work')).toHaveLength(1_200)
    for (const key of KEYS) expect(h.order('work', key)).toEqual(numbered(200, [key]).map(({ id }) => id))
  })

  test('the outcome of each event names the record that holds it', async () => {
    const h = await openHarness(oneSubscription({}))
    const places = new Set<string>()
    const onOutcome: ProduceOptions<NewEvent>['onOutcome'] = (outcome) =>
      void (outcome.ok && places.add(outcome.sequenceNumber))
    await produced(h, h.world.boot(), { aggregate: { maxBytes: 4_096 }, onOutcome }, 200)
    const stored = h.world.store.allRecords('events').map(({ sequenceNumber }) => sequenceNumber)
    expect([...places].sort()).toEqual(stored.sort())
    for (const record of h.world.store.allRecords('events'))
      expect(record.data.length).toBeLessThanOrEqual(4_096)
  })

  test('an option that is not one is refused with its name', async () => {
    const h = await openHarness(oneSubscription({}))
    const producer = producerOf(h.world.boot())
    const wrong = [{ maxBytes: 1 }, { maxBytes: 2 ** 21 }, { bytes: 1 }, 'yes']
    for (const aggregate of wrong)
      await expect(producer.produce('events', [], { aggregate: aggregate as never })).rejects.toThrow(
        'aggregate',
      )
  })

  test.each(['key', 'strict'] as const)(
    `over ${SEEDS} seeds of faults, lost answers, splits and merges, ordering '%s': nothing lost, copies dropped, order kept`,
    async (ordering) => {
      const seen = { copies: 0, strays: 0, resent: 0 }
      for (let seed = 0; seed < SEEDS; seed += 1) {
        const problem = await problemOf(`${ordering}-${seed}`, ordering, seen)
        expect(problem, `seed ${ordering}-${seed}`).toBeUndefined()
      }
      // Else the seeds would show nothing.
      for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(SEEDS)
    },
  )
})

/** Plays one seed; says what was not as promised. */
async function problemOf(
  seed: string,
  ordering: 'key' | 'strict',
  seen: { copies: number; strays: number; resent: number },
): Promise<string | undefined> {
  const dice = new Prng(`aggregated/${seed}`)
  const count = 240
  const h = await openHarness(oneSubscription({ blocks: 'key', exhausted: 'hold' }, { shards: 2 }), { seed })
  const engine = h.world.boot()
  h.world.faults = { ...roughFaults, appendRejected: 0.1, appendEntryAckLost: 0.05 }
  const options = { ordering, aggregate: { maxBytes: dice.pick([1_024, 2_048, 8_192]) } }
  async function* source(): AsyncGenerator<NewEvent> {
    for (const [index, event] of numbered(count).entries()) {
      if (index % 20 === 19) await engine.clock.sleep(dice.int(300))
      if (index % 80 === 40) await reshard(engine, dice)
      yield event
    }
  }
  const report = await h.clock.settle(producerOf(engine).produce('events', source(), options))
  h.world.faults = { ...h.world.faults, appendRejected: 0, readRejected: 0 }
  if (report.accepted !== count) return `accepted ${report.accepted} of ${count}, failed ${report.failed}`
  await h.settle()
  for (const key of KEYS) {
    const wanted = numbered(count / KEYS.length, [key]).map(({ id }) => id)
    const order = h.order('work', key)
    if (JSON.stringify(order) !== JSON.stringify(wanted)) return `${key}: ${order.join(' ')}`
  }
  const { copies = 0, strays = 0 } = await h.operations.showSubscription('work')
  seen.copies += copies
  seen.strays += strays
  seen.resent += report.resent
  await h.close()
  return undefined
}

/** A split or a merge of whatever is open; faults of the engine may refuse it. */
async function reshard(engine: SimEngine, dice: Prng): Promise<void> {
  try {
    const open = (await engine.log.listShards('events')).filter(
      (shard) => shard.endingSequenceNumber === undefined,
    )
    const index = dice.int(open.length)
    const [shard, next] = [open[index], open[index + 1]]
    if (shard === undefined) return
    if (next !== undefined && dice.int(2) === 0) await engine.log.merge('events', shard.shardId, next.shardId)
    else {
      const middle = (BigInt(shard.startingHashKey) + BigInt(shard.endingHashKey)) / 2n
      await engine.log.split('events', shard.shardId, middle.toString())
    }
  } catch {
    // Not adjacent, or a fault: the stream stays as it is.
  }
}
