import { createHash } from 'node:crypto'
import { AggregateBuilder, defineApp, type HandlerContext, MAX_HASH_KEY, stream, subscribe } from '@eddy/core'
import { describe, expect, it } from 'vitest'
import { eventOf, failuresOf } from './support/batch-events.ts'
import type { LambdaWorld } from './support/lambda-world.ts'
import { openWorld } from './support/open-world.ts'

interface UserEvent {
  readonly key: string
  readonly id: string
  /** Producer id and sequence, as the producer marks what it sends. */
  readonly mark?: readonly [producer: string, sequence: number]
}

function bytesOf({ key, id, mark }: UserEvent): Uint8Array {
  const marks = mark === undefined ? {} : { eddyproducer: mark[0], eddysequence: String(mark[1]) }
  const event = { specversion: '1.0', id, source: 'test', type: 't', partitionkey: key, data: null }
  return Buffer.from(JSON.stringify({ ...marks, ...event }))
}

/** One record that holds all the events, placed at the start of the hash keys. */
async function putAggregate(world: LambdaWorld, events: readonly UserEvent[]): Promise<void> {
  const builder = new AggregateBuilder()
  for (const event of events) builder.add({ partitionKey: event.key, data: bytesOf(event) })
  const data = builder.build((bytes) => createHash('md5').update(bytes).digest())
  await append(world, { partitionKey: 'a', explicitHashKey: '0', data })
}

async function append(
  world: LambdaWorld,
  entry: { readonly partitionKey: string; readonly explicitHashKey?: string; readonly data: Uint8Array },
): Promise<void> {
  const [result] = await world.settle(world.engine.log.append('events', [entry]))
  expect(result?.ok).toBe(true)
}

type Seen = [id: string, key: string, place: number | undefined]

const open = (seen: Seen[], shards: number, handle: (ctx: HandlerContext) => unknown = () => {}) =>
  openWorld(
    () =>
      defineApp({
        subscriptions: [
          subscribe('work', stream('events', { shards }), {
            failure: { blocks: 'key', exhausted: 'dead-letter' },
            timeoutMs: 10_000,
            concurrency: 2,
            handle: async (event, ctx) => {
              seen.push([event.id, ctx.key, ctx.subSequenceNumber])
              await handle(ctx)
            },
          }),
        ],
      }),
    { timeoutMs: 40_000 },
  )

describe('Aggregates in a function', () => {
  it('are opened: each record has its own key and place; a second sending is dropped', async () => {
    const seen: Seen[] = []
    const world = await open(seen, 1)
    await putAggregate(world, [
      { key: 'x', id: 'e0', mark: ['p', 1] },
      { key: 'y', id: 'e1', mark: ['p', 2] },
      { key: 'x', id: 'e2', mark: ['p', 3] },
    ])
    await append(world, { partitionKey: 'y', data: bytesOf({ key: 'y', id: 'e1', mark: ['p', 2] }) })
    await append(world, { partitionKey: 'x', data: bytesOf({ key: 'x', id: 'e3' }) })
    const fn = world.fn('kinesis', { subscription: 'work' })
    expect(failuresOf(await world.settle(fn.invoke(await eventOf(world, 0, 2))))).toEqual([])
    expect(seen).toEqual([
      ['e0', 'x', 0],
      ['e1', 'y', 1],
      ['e2', 'x', 2],
      ['e3', 'x', undefined],
    ])
  })

  it('one that is done with in part comes back whole; only the rest of it is handled again', async () => {
    const seen: Seen[] = []
    const world = await open(seen, 1, (ctx) => world.clock.sleep(ctx.key === 'slow' ? 9_999 : 10))
    await putAggregate(world, [
      { key: 'slow', id: 's0' },
      { key: 'x', id: 'e0' },
      { key: 'slow', id: 's1' },
      { key: 'slow', id: 's2' },
      { key: 'x', id: 'e1' },
    ])
    const fn = world.fn('kinesis', { subscription: 'work' })
    const whole = await eventOf(world, 0, 0)
    expect(failuresOf(await world.settle(fn.invoke(whole)))).toEqual([
      whole.Records[0]?.kinesis.sequenceNumber,
    ])
    expect(seen.map(([id]) => id).sort()).toEqual(['e0', 'e1', 's0', 's1'])
    seen.length = 0
    expect(failuresOf(await world.settle(fn.invoke(whole)))).toEqual([])
    expect(seen.map(([id]) => id)).toEqual(['s2'])
  })

  it('one with a record outside its shard is passed over: its producer sends all of it again', async () => {
    const seen: Seen[] = []
    const world = await open(seen, 2)
    const shards = await world.settle(world.engine.log.listShards('events'))
    expect(shards[1]?.endingHashKey).toBe(MAX_HASH_KEY.toString())
    const keys = Array.from({ length: 20 }, (_, index) => `k${index}`)
    await putAggregate(
      world,
      keys.map((key) => ({ key, id: key })),
    )
    const fn = world.fn('kinesis', { subscription: 'work' })
    expect(failuresOf(await world.settle(fn.invoke(await eventOf(world, 0, 0))))).toEqual([])
    expect(seen).toEqual([])
  })
})
