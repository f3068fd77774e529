import { type AppDefinition, defineApp, stream } from '@eddy/core'
import { describe, expect, test } from 'vitest'
import type { Harness } from '../../src/index.ts'
import { openHarness } from '../support/one-subscription.ts'

describe('a stream that is stored other than it is defined (I9)', () => {
  test('is told at the start, once, with both values and what to do', async () => {
    const h = await openHarness(app(2, 'fsync'))
    expect(warnings(h)).toEqual([])
    await h.restart({ app: app(4, 'os') })
    expect(warnings(h)).toEqual([
      'stream "events" is defined with durability "os" but stored with "fsync", which stays. To change it, append to a new stream.',
      'stream "events" is defined with 4 shards but has 2, which stay. To change that: eddy streams split events SHARD. To keep it, define it with 2 shards.',
    ])
    await h.advance('1h')
    expect(warnings(h)).toHaveLength(2)
    await h.restart({ app: app(1, 'fsync') })
    expect(warnings(h).slice(2)).toEqual([
      'stream "events" is defined with 1 shard but has 2, which stay. To change that: eddy streams merge events SHARD. To keep it, define it with 2 shards.',
    ])
  })

  test('says nothing of shards that were split since, whichever count is defined', async () => {
    const h = await openHarness(app(2, 'fsync'))
    const [first] = (await h.operations.showStream('events')).shards
    await h.operations.splitShard('events', first?.shardId ?? '')
    await h.restart()
    await h.restart({ app: app(3, 'fsync') })
    expect(warnings(h)).toEqual([])
    await h.restart({ app: app(4, 'fsync') })
    expect(warnings(h)).toHaveLength(1)
  })
})

function app(shards: number, durability: 'fsync' | 'os'): AppDefinition {
  return defineApp({ streams: [stream('events', { shards, durability })], subscriptions: [] })
}

function warnings(h: Harness): readonly string[] {
  return h.logs.map((line) => line.message).filter((message) => message.startsWith('stream '))
}
