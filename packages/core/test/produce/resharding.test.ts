import { describe, expect, it } from 'vitest'
import { StorageError } from '../../src/errors/engine-errors.ts'
import { decodeEvent } from '../../src/model/envelope.ts'
import { midpointHashKey } from '../../src/model/hash-key.ts'
import { KINESIS_LIMITS } from '../../src/model/resolve-limits.ts'
import type { AppendResult, ShardInfo } from '../../src/ports/log.ts'
import { Producer } from '../../src/produce/producer.ts'
import { StreamPlan } from '../../src/produce/stream-plan.ts'
import { world } from '../operate/support/fixture.ts'
import { turns } from './support/producing.ts'

const SPEC = { shardCount: 1, retentionMs: 86_400_000, durability: 'fsync', limits: KINESIS_LIMITS } as const

/** The log tells that a record went to a shard that nobody knew. */
const elsewhere: AppendResult = {
  ok: true,
  shardId: 'shardId-000000000001',
  sequenceNumber: '7',
  duplicate: false,
}

describe('a stream that is split while a producer writes to it', () => {
  it('places what waits anew only after what is under way has ended: no key is in two places (I3)', async () => {
    const { log, clock, engine } = world()
    void log.createStream({ name: 'orders', ...SPEC })
    const producer = new Producer({ log, clock, md5Hex: engine.md5Hex })
    let answer: () => void = () => undefined
    log.script = (_call, entry) => (entry.partitionKey === 'b' ? elsewhere : undefined)
    log.afterAppend = (call) =>
      call.entries.some((entry) => entry.partitionKey === 'a') && log.calls.length === 2
        ? new Promise<void>((resolve) => {
            answer = resolve
          })
        : undefined
    const send = (key: string, n: number): Promise<unknown> =>
      producer.append('orders', [{ key, data: { n } }])
    // Long enough ago for the shards to be asked for again.
    await send('z', 0)
    await clock.sleep(2_000)
    const first = send('a', 1)
    await clock.sleep(50)
    const shards = await log.listShards('orders')
    await log.split('orders', 'shardId-000000000000', midpointHashKey(shards[0] as ShardInfo) as string)
    await send('b', 2)
    await turns()
    const second = send('a', 3)
    await clock.sleep(500)
    await turns()
    const sentOfA = (): number =>
      log.calls.filter((call) => call.entries.some((entry) => entry.partitionKey === 'a')).length
    expect(sentOfA()).toBe(1)
    answer()
    await Promise.all([first, second])
    expect(sentOfA()).toBe(2)
  })

  it('a record whose answer was lost before the split keeps its mark', async () => {
    const { log, clock, engine } = world()
    log.dropsCopies = false
    void log.createStream({ name: 'orders', ...SPEC })
    const producer = new Producer({ log, clock, md5Hex: engine.md5Hex, initialDelayMs: 3_000 })
    await producer.append('orders', [{ key: 'z', data: 0 }])
    await clock.sleep(2_000)
    log.script = (_call, entry) => (entry.partitionKey === 'b' ? elsewhere : undefined)
    const second: Promise<unknown>[] = []
    log.afterAppend = async (call) => {
      if (log.calls.length !== 2 || call.entries[0]?.partitionKey !== 'a') return
      // While it waits to be sent again, the shards change: another record lands elsewhere.
      await log.split('orders', 'shardId-000000000000', '9')
      second.push(producer.append('orders', [{ key: 'b', data: 2 }]))
      throw new StorageError('the answer was lost')
    }
    await producer.append('orders', [{ key: 'a', data: 1 }])
    await Promise.all(second)
    const marks = log.calls
      .flatMap((call) => call.entries)
      .filter((entry) => entry.partitionKey === 'a')
      .map((entry) => {
        const { eddyproducer, eddysequence } = decodeEvent(entry.data)
        return `${eddyproducer} ${eddysequence}`
      })
    expect(marks.length).toBeGreaterThanOrEqual(2)
    expect(new Set(marks).size).toBe(1)
  })

  it('shards that stay keep their pace, children begin with their parent’s', async () => {
    const { log, clock, engine } = world()
    await log.createStream({ name: 'orders', ...SPEC, shardCount: 2 })
    const plan = new StreamPlan({ log, clock, stream: 'orders', md5Hex: engine.md5Hex })
    let changes = 0
    plan.onChange(() => {
      changes += 1
    })
    await plan.load(false)
    const [kept, parent] = ['shardId-000000000000', 'shardId-000000000001'].map((id) => plan.pacer(id))
    parent?.learn({ sentMs: 1e9, accepted: 1, throttled: 30, worthMs: 31 }, clock.monotonicMs())
    const share = parent?.share(clock.monotonicMs()) as number
    const [, upper] = await log.listShards('orders')
    await log.split('orders', 'shardId-000000000001', midpointHashKey(upper as ShardInfo) as string)
    plan.refresh(clock.monotonicMs() + 5_000)
    await turns()
    expect(plan.pacer('shardId-000000000000')).toBe(kept)
    for (const child of ['shardId-000000000002', 'shardId-000000000003'])
      expect(plan.pacer(child)?.share(clock.monotonicMs())).toBeCloseTo(share, 1)
    expect(plan.pacer('shardId-000000000001')).toBeUndefined()
    // Asked again at once, and nothing new: nothing is placed anew.
    plan.refresh(clock.monotonicMs() + 10_000)
    await turns()
    expect(changes).toBe(2)
  })
})
