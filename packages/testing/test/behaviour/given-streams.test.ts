import {
  defineApp,
  type Engine,
  type Log,
  type Notice,
  type ReadRequest,
  type Runtime,
  startRuntime,
  stream,
  subscribe,
  ThrottledError,
} from '@eddy/core'
import { describe, expect, test } from 'vitest'
import { SimWorld } from '../../src/index.ts'

const events = stream('events', { shards: 1 })

class Played {
  readonly world = new SimWorld({ seed: 1, traceLength: 0 })
  readonly notices: Notice[] = []
  readonly reads: ReadRequest[] = []
  readonly handled: string[] = []
  keysIgnored = false

  /** The simulated log, as one whose streams a deployment made and whose service may ignore keys. */
  engine(more: Partial<Log> = {}): Engine {
    const engine = this.world.boot()
    const log: Log = {
      ...engine.log,
      keepsKeyOrder: true,
      hasGivenStreams: true,
      mayIgnoreKeys: true,
      describeStream: async (name) => ({
        ...(await engine.log.describeStream(name)),
        ...(this.keysIgnored && { keysIgnored: true }),
      }),
      read: async (request) => {
        this.reads.push(request)
        return await engine.log.read(request)
      },
      ...more,
    }
    return { ...engine, log }
  }

  start(engine: Engine, blocks: readonly ('nothing' | 'key')[], fanOut = false): Promise<Runtime> {
    const subscriptions = blocks.map((name) =>
      subscribe(name, events, {
        failure: name === 'key' ? { blocks: name, exhausted: 'hold' } : { blocks: name },
        fanOut,
        handle: ({ id }) => void this.handled.push(`${name}/${id}`),
      }),
    )
    const notify = [{ name: 'test', notify: (notice: Notice) => void this.notices.push(notice) }]
    return this.in(startRuntime({ engine, app: defineApp({ subscriptions, notify }) }))
  }

  async in<T>(call: Promise<T>, ms = 2_000): Promise<T> {
    call.catch(() => {})
    await this.world.clock.advance(ms)
    return await call
  }

  create(engine: Engine): Promise<unknown> {
    const { name, shards: shardCount, durability } = events
    return this.in(engine.log.createStream({ name, shardCount, durability, retentionMs: 3_600_000 }))
  }
}

describe('streams that a deployment made', () => {
  test('are not created by a start: one that is missing is an error', async () => {
    const played = new Played()
    const engine = played.engine()
    await expect(played.start(engine, ['nothing'])).rejects.toMatchObject({ code: 'EDDY_STREAM_NOT_FOUND' })
    expect(await played.in(engine.log.listStreams())).toEqual([])
  })

  test('are waited for while the service is asked too often: a start takes longer, and does not fail (I9)', async () => {
    const played = new Played()
    const plain = played.engine()
    await played.create(plain)
    let refusals = 0
    const engine = played.engine({
      describeStream: async (name) => {
        refusals += 1
        if (refusals % 3 !== 0) throw new ThrottledError('describing a stream', 200)
        return await plain.log.describeStream(name)
      },
    })
    await played.start(engine, ['nothing'])
    expect(refusals).toBeGreaterThanOrEqual(6)
  })

  test('keep their retention', async () => {
    const played = new Played()
    const engine = played.engine()
    await played.create(engine)
    await played.start(engine, ['nothing'])
    expect(await played.in(engine.log.describeStream('events'))).toMatchObject({ retentionMs: 3_600_000 })
  })
})

describe('a stream whose service ignores keys (I3)', () => {
  test('refuses a subscription that needs their order, at the start, and takes one that does not', async () => {
    const played = new Played()
    const engine = played.engine()
    await played.create(engine)
    played.keysIgnored = true
    await expect(played.start(engine, ['key'])).rejects.toMatchObject({
      code: 'EDDY_KEYS_IGNORED',
      message: expect.stringContaining("blocks: 'nothing'"),
    })
    const app = await played.start(engine, ['nothing'])
    await played.in(app.append('events', { id: 'a', key: 'k', data: 1 }))
    expect(played.handled).toEqual(['nothing/a'])
  })

  test('stops such a subscription within a minute of the change, tells and shows it, and no other', async () => {
    const played = new Played()
    const engine = played.engine()
    await played.create(engine)
    const app = await played.start(engine, ['key', 'nothing'])
    played.keysIgnored = true
    await played.in(app.append('events', { id: 'a', key: 'k', data: 1 }), 61_000)
    await played.in(app.append('events', { id: 'b', key: 'k', data: 1 }))
    expect(played.handled.toSorted()).toEqual(['key/a', 'nothing/a', 'nothing/b'])
    expect(played.notices).toMatchObject([
      { kind: 'subscription-stopped', subscription: 'key', reason: expect.stringContaining('KeysIgnored') },
    ])
    const { shards } = await played.in(app.operations.showSubscription('key'))
    expect(shards.map(({ state }) => state)).toEqual(['stopped'])
    const again = await played.in(app.operations.showSubscription('nothing'))
    expect(again.shards.map(({ state }) => state)).toEqual(['reading'])
  })

  test('lets it go on with a seek once keys count again', async () => {
    const played = new Played()
    const engine = played.engine()
    await played.create(engine)
    const app = await played.start(engine, ['key'])
    played.keysIgnored = true
    await played.in(Promise.resolve(), 61_000)
    const seek = () => played.in(app.operations.seekSubscription('key', { at: 'trim_horizon' }))
    await expect(seek()).rejects.toMatchObject({ code: 'EDDY_KEYS_IGNORED' })
    played.keysIgnored = false
    await seek()
    await played.in(app.append('events', { id: 'a', key: 'k', data: 1 }))
    expect(played.handled).toEqual(['key/a'])
  })
})

test('fanOut: a subscription reads under its own name where the log has such, and like all others elsewhere', async () => {
  for (const hasFanOut of [true, false]) {
    const played = new Played()
    const engine = played.engine({ hasFanOut })
    await played.create(engine)
    const app = await played.start(engine, ['key'], true)
    await played.in(app.append('events', { id: 'a', key: 'k', data: 1 }))
    expect(played.handled).toEqual(['key/a'])
    expect(new Set(played.reads.map(({ consumer }) => consumer))).toEqual(
      hasFanOut ? new Set([undefined, 'key']) : new Set([undefined]),
    )
  }
})
