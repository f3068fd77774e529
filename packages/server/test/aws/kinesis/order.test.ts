import { KINESIS_LIMITS } from '@eddy/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Answer, KinesisUnderTest } from './support/kinesis-under-test.ts'

/*
 * The page on AWS: "PutRecords doesn't guarantee order". A client that sends what failed again puts it behind later records
 * of its key; it is to find that out here.
 */

const StreamName = 'orders'
const KIB = 1_024
const PTEE = 'ProvisionedThroughputExceededException'

let kinesis: KinesisUnderTest

beforeEach(async () => {
  kinesis = await KinesisUnderTest.start({ limits: KINESIS_LIMITS })
  await kinesis.create()
  await kinesis.advance(1_000)
})

afterEach(async () => kinesis.service.close())

const records = (count: number, bytes: number) =>
  Array.from({ length: count }, () => ({ Data: Buffer.alloc(bytes), PartitionKey: 'k' }))

const put = (Records: readonly Answer[]) => kinesis.call('PutRecords', { StreamName, Records })

describe('Order within PutRecords', () => {
  it('a record that is refused is refused alone: a later one of its key may be stored, by both ways', async () => {
    const sizes = [700 * KIB, 400 * KIB, 10 * KIB, 400 * KIB, 1]
    const calls = [
      (Records: readonly Answer[]) => put(Records),
      (Records: readonly Answer[]) => kinesis.putRaw({ StreamName, Records }),
    ]
    for (const putAll of calls) {
      const answer = await putAll(sizes.flatMap((bytes) => records(1, bytes)))
      expect(answer.Records.map(({ ErrorCode }: Answer) => ErrorCode)).toEqual([
        undefined,
        PTEE,
        undefined,
        PTEE,
        undefined,
      ])
      expect(answer.FailedRecordCount).toBe(2)
      await kinesis.advance(2_000)
    }
    // The same of records that fail inside: others of their key are stored.
    await kinesis.engine.log.setLimits?.(StreamName, { faults: { internalFailureRate: 0.5 } })
    const { Records } = await put(records(100, 1))
    const failed = Records.map(({ ErrorCode }: Answer) => ErrorCode === 'InternalFailure')
    expect(failed.lastIndexOf(false)).toBeGreaterThan(failed.indexOf(true))
  })

  // Records without a key are told apart by nothing: one that is refused must not stand for all of them.
  it('so it is with AUTO distribution, for records without a key', async () => {
    await kinesis.call('CreateStream', {
      StreamName: 'auto',
      StreamModeDetails: { StreamMode: 'ON_DEMAND' },
      RecordDistributionStrategy: 'AUTO',
    })
    const faults = { internalFailureRate: 0.5 }
    await kinesis.engine.log.setLimits?.('auto', { faults })
    const Records = Array.from({ length: 200 }, () => ({ Data: Buffer.from('x') }))
    const answer = await kinesis.call('PutRecords', { StreamName: 'auto', Records })
    // About half of them, and not all but the first few of each shard.
    expect(answer.FailedRecordCount).toBeGreaterThan(50)
    expect(answer.FailedRecordCount).toBeLessThan(150)
  })
})
