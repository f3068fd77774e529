import { quietFaults } from '@eddy/testing'
import { describe, expect, it } from 'vitest'
import { KinesisUnderTest } from './support/kinesis-under-test.ts'

const StreamName = 'orders'
const FAILING = { ...quietFaults, writeRejected: 0.3, readRejected: 0.2, rejectedTookEffectShare: 0.5 }

describe('The Kinesis endpoint over a storage that fails for a while', () => {
  it('a change is made in the end, whichever of its steps failed or only seemed to (I9)', async () => {
    for (let seed = 1; seed <= 25; seed++) {
      const kinesis = await KinesisUnderTest.start({ stateMs: 500 }, seed)
      kinesis.world.faults = FAILING
      await kinesis.untilAnswered('CreateStream', { StreamName, ShardCount: 2, Tags: { team: 'red' } })
      await kinesis.advance(500)
      const scale = { StreamName, TargetShardCount: 3, ScalingType: 'UNIFORM_SCALING' }
      await kinesis.untilAnswered('UpdateShardCount', scale)
      await kinesis.advance(20_000)
      kinesis.world.faults = quietFaults
      await kinesis.advance(2_000)
      expect(await kinesis.status(), `seed ${seed}`).toBe('ACTIVE')
      const open = await kinesis.shards('orders', { ShardFilter: { Type: 'AT_LATEST' } })
      expect(open, `seed ${seed}`).toHaveLength(3)
      // The tags came with the creation, even where it seemed to fail.
      const { Tags } = await kinesis.call('ListTagsForStream', { StreamName })
      expect(Tags, `seed ${seed}`).toEqual([{ Key: 'team', Value: 'red' }])
      await kinesis.service.close()
    }
  })

  it('a deletion that fails is tried again, and the name is free then', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const kinesis = await KinesisUnderTest.start({ stateMs: 500 }, seed)
      await kinesis.create()
      await kinesis.advance(500)
      kinesis.world.faults = FAILING
      await kinesis.untilAnswered('DeleteStream', { StreamName })
      await kinesis.advance(20_000)
      kinesis.world.faults = quietFaults
      await kinesis.advance(2_000)
      expect((await kinesis.call('ListStreams')).StreamNames, `seed ${seed}`).toEqual([])
      await kinesis.create()
      await kinesis.service.close()
    }
  })
})
