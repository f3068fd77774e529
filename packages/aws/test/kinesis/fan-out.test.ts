import { KinesisClient } from '@aws-sdk/client-kinesis'
import type { ReadRequest, ReadResult, StartPosition } from '@eddy/core'
import { VirtualClock } from '@eddy/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KinesisLog } from '../../src/kinesis/index.ts'
import { KEPT_CONNECTIONS } from '../../src/kinesis/kinesis-client.ts'
import type { ServiceAnswer, ServiceRequest } from '../support/kinesalite.ts'
import { type Pushed, type PushService, startPushService } from '../support/push-service.ts'

/**
 * Enhanced fan-out over the SDK's own HTTP/2, against a service that is ours: how Kinesis itself ends subscriptions after
 * five minutes, answers early ones with ResourceInUseException, pushes empty events, and lets a later subscription take
 * over, rests on its documentation alone.
 */
const ARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/s'
const CONSUMER_ARN = `${ARN}/consumer/billing:1700000000`
const SHARD = 'shardId-000000000000'
const START: StartPosition = { at: 'trim_horizon' }
const MIB = 1024 * 1024

let service: PushService
let client: KinesisClient
let clock: VirtualClock
let log: KinesisLog
/** By operation, in turn; then what is right. */
let script: Record<string, ServiceAnswer[]>

const ok = (body: object): ServiceAnswer => ({ status: 200, body })
const problem = (type: string, message = 'because'): ServiceAnswer => ({
  status: 400,
  body: { __type: type, message },
})
const consumerIn = (ConsumerStatus: string): ServiceAnswer =>
  ok({
    ConsumerDescription: {
      ConsumerName: 'billing',
      ConsumerARN: CONSUMER_ARN,
      ConsumerStatus,
      ConsumerCreationTimestamp: 1_700_000_000,
      StreamARN: ARN,
    },
  })

beforeEach(async () => {
  script = {}
  clock = new VirtualClock({ seed: 1 })
  service = await startPushService(({ operation }: ServiceRequest) => {
    const planned = script[operation]?.shift()
    if (planned !== undefined || operation === 'SubscribeToShard') return planned
    if (operation === 'DescribeStreamConsumer') return consumerIn('ACTIVE')
    if (operation !== 'DescribeStreamSummary') return problem('UnknownOperationException', operation)
    return ok({
      StreamDescriptionSummary: {
        StreamName: 's',
        StreamARN: ARN,
        StreamStatus: 'ACTIVE',
        RetentionPeriodHours: 24,
        StreamCreationTimestamp: 1_700_000_000,
        EnhancedMonitoring: [],
        OpenShardCount: 1,
      },
    })
  })
  client = new KinesisClient({
    endpoint: service.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
    requestHandler: KEPT_CONNECTIONS,
  })
  log = new KinesisLog({ client, clock })
})

afterEach(async () => {
  await log.close()
  client.destroy()
  await service.close()
  expect(service.violations).toEqual([])
})

const after = (sequence: number): StartPosition => ({
  at: 'after_sequence_number',
  sequenceNumber: String(sequence),
})
const inputs = (operation: string) =>
  service.requests.filter((request) => request.operation === operation).map(({ input }) => input)
const numbers = ({ records }: ReadResult) => records.map(({ sequenceNumber }) => Number(sequenceNumber))

/** Records from one number to another; nothing is behind them. */
function pushed(from: number, to: number, more: Partial<Pushed> & { readonly bytes?: number } = {}): Pushed {
  const { bytes = 1, ...rest } = more
  return {
    Records: Array.from({ length: to - from + 1 }, (_, index) => ({
      SequenceNumber: String(from + index),
      PartitionKey: 'k',
      Data: Buffer.alloc(bytes).toString('base64'),
      ApproximateArrivalTimestamp: 1_700_000_000 + from + index,
    })),
    ContinuationSequenceNumber: String(to),
    MillisBehindLatest: 0,
    ...rest,
  }
}

/** What really happens goes on while virtual time stands; virtual time goes on once that is done. */
async function done<T>(call: Promise<T>, stepMs = 500): Promise<T> {
  let isDone = false
  void call.then(
    () => {
      isDone = true
    },
    () => {
      isDone = true
    },
  )
  for (let turn = 0; turn < 2_000 && !isDone; turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, 2))
    if (!isDone && turn % 5 === 4) await clock.advance(stepMs)
  }
  return await call
}

const read = (from: StartPosition, more: Partial<ReadRequest> = {}): Promise<ReadResult> =>
  log.read({
    stream: 's',
    shardId: SHARD,
    from,
    maxRecords: 1_000,
    maxBytes: 8 * MIB,
    waitMs: 10_000,
    consumer: 'billing',
    ...more,
  })

/** Reads on until something comes or the shard ends. */
async function readSome(from: StartPosition, more: Partial<ReadRequest> = {}): Promise<ReadResult> {
  for (let look = 0; look < 50; look += 1) {
    const result = await read(from, more)
    if (result.records.length > 0 || result.next === undefined) return result
  }
  throw new Error('nothing comes')
}

describe('a consumer with enhanced fan-out', () => {
  it('is registered where nobody has, and waited for; who was faster is no error', async () => {
    script.DescribeStreamConsumer = [problem('ResourceNotFoundException'), consumerIn('CREATING')]
    script.RegisterStreamConsumer = [problem('ResourceInUseException')]
    const reading = readSome(START)
    const shard = service.nextShard()
    ;(await done(shard)).push(pushed(1, 2))
    expect(numbers(await done(reading))).toEqual([1, 2])
    expect(inputs('RegisterStreamConsumer')).toEqual([{ StreamARN: ARN, ConsumerName: 'billing' }])
    expect(inputs('DescribeStreamConsumer')).toHaveLength(3)
    expect(inputs('SubscribeToShard')).toEqual([
      { ConsumerARN: CONSUMER_ARN, ShardId: SHARD, StartingPosition: { Type: 'TRIM_HORIZON' } },
    ])
  })

  it('is read as pushed, over one subscription, to the end of the shard', async () => {
    const reading = readSome(START)
    const shard = await done(service.nextShard())
    shard.push(pushed(1, 3))
    expect([numbers(await done(reading)), (await done(read(after(3), { waitMs: 0 }))).next]).toEqual([
      [1, 2, 3],
      after(3),
    ])
    shard.push(pushed(4, 5))
    const more = await done(readSome(after(3), { maxRecords: 1 }))
    expect([numbers(more), more.next, more.millisBehindLatest > 0]).toEqual([[4], after(4), true])
    shard.push({ ...pushed(6, 6), ChildShards: [{ ShardId: 'shardId-000000000001', ParentShards: [SHARD] }] })
    expect(numbers(await done(readSome(after(4), { maxRecords: 1 })))).toEqual([5])
    const last = await done(readSome(after(5)))
    expect([numbers(last), last.next, last.millisBehindLatest]).toEqual([[6], undefined, 0])
    expect(inputs('SubscribeToShard')).toHaveLength(1)
  })

  it('ends with a shard whose end is told by there being nothing to go on at', async () => {
    const reading = readSome(START)
    const shard = await done(service.nextShard())
    shard.push({ ...pushed(1, 1), ContinuationSequenceNumber: null })
    const last = await done(reading)
    expect([numbers(last), last.next]).toEqual([[1], undefined])
  })

  it('begins again behind what came when its subscription ends, not within five seconds of the last', async () => {
    const reading = readSome(START)
    const first = await done(service.nextShard())
    const begunAtMs = clock.monotonicMs()
    first.push({ ...pushed(1, 1), ContinuationSequenceNumber: '7' })
    await done(reading)
    first.end()
    const again = readSome(after(1))
    const second = await done(service.nextShard())
    expect(clock.monotonicMs() - begunAtMs).toBeGreaterThanOrEqual(4_000)
    expect(second.input.StartingPosition).toEqual({ Type: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: '7' })
    second.push(pushed(8, 8))
    expect(numbers(await done(again))).toEqual([8])
  })

  it.each(['thrown', 'pushed'])(
    'takes over from another subscription five seconds later: ResourceInUseException, %s',
    async (how) => {
      if (how === 'thrown') script.SubscribeToShard = [problem('ResourceInUseException')]
      const reading = readSome(START)
      if (how === 'pushed') (await done(service.nextShard())).fail('ResourceInUseException')
      const second = await done(service.nextShard())
      expect(clock.monotonicMs()).toBeGreaterThanOrEqual(5_000)
      second.push(pushed(1, 1))
      expect(numbers(await done(reading))).toEqual([1])
      expect(inputs('SubscribeToShard')).toHaveLength(2)
    },
  )

  it.each(['InternalFailureException', 'KMSThrottlingException'])(
    'an event stream that breaks with %s is told to the reader as one to be repeated, and begun again',
    async (name) => {
      const reading = read(START)
      ;(await done(service.nextShard())).fail(name)
      await expect(done(reading)).rejects.toMatchObject({ retryable: true })
      const again = readSome(START)
      ;(await done(service.nextShard())).push(pushed(1, 1))
      expect(numbers(await done(again))).toEqual([1])
    },
  )

  it('a connection that has been silent for 35 seconds is dead', async () => {
    const reading = readSome(START)
    const first = await done(service.nextShard())
    const second = await done(service.nextShard(), 1_000)
    await first.closed
    second.push(pushed(1, 1))
    expect(numbers(await done(reading))).toEqual([1])
    expect(clock.monotonicMs()).toBeGreaterThanOrEqual(35_000)
  })

  it('who does not read is not pushed more than a few MiB, and loses nothing when he comes back an hour later (I6)', async () => {
    const reading = readSome(START)
    const first = await done(service.nextShard())
    first.push(pushed(1, 1))
    await done(reading)
    for (let sequence = 2; sequence <= 9; sequence += 1)
      first.push(pushed(sequence, sequence, { bytes: MIB }))
    await done(first.closed, 5_000)
    await clock.advance(3_600_000)
    const seen: number[] = []
    let next: StartPosition = after(1)
    const handed = async (): Promise<void> => {
      const result = await readSome(next)
      seen.push(...numbers(result))
      next = result.next ?? next
    }
    await done(handed())
    const kept = seen.at(-1) ?? 0
    expect(kept).toBeGreaterThanOrEqual(4)
    expect(kept).toBeLessThan(9)
    const going = handed()
    const second = await done(service.nextShard())
    expect(second.input.StartingPosition).toEqual({
      Type: 'AFTER_SEQUENCE_NUMBER',
      SequenceNumber: String(kept),
    })
    second.push(pushed(kept + 1, 9))
    await done(going)
    expect(seen).toEqual([2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('tells that retention removed something: the record of its checkpoint is gone', async () => {
    const reading = readSome(after(5))
    const shard = await done(service.nextShard())
    expect(shard.input.StartingPosition).toEqual({ Type: 'AT_SEQUENCE_NUMBER', SequenceNumber: '5' })
    shard.push({ ...pushed(1, 0), ContinuationSequenceNumber: '6' })
    shard.end()
    const again = await done(service.nextShard())
    expect(again.input.StartingPosition).toEqual(shard.input.StartingPosition)
    again.push(pushed(9, 9))
    const result = await done(reading)
    expect([numbers(result), result.expiredRecords]).toEqual([[9], 1])
  })

  it('passes over the record of its checkpoint where it is still there', async () => {
    const reading = readSome(after(5))
    ;(await done(service.nextShard())).push(pushed(5, 6))
    const result = await done(reading)
    expect([numbers(result), result.expiredRecords]).toEqual([[6], 0])
  })

  it('who does not read does not take the shard back from its new owner, nor keep it', async () => {
    const reading = readSome(START)
    const first = await done(service.nextShard())
    first.push(pushed(1, 1))
    await done(reading)
    first.fail('ResourceInUseException')
    await done(first.closed)
    await clock.advance(60_000)
    await done(new Promise((resolve) => setTimeout(resolve, 20)))
    expect(inputs('SubscribeToShard')).toHaveLength(1)
    const again = readSome(after(1))
    const second = await done(service.nextShard())
    second.push(pushed(2, 2))
    await done(again)
    await clock.advance(30_000)
    second.push({ ...pushed(1, 0), ContinuationSequenceNumber: '2' })
    await done(second.closed)
    await done(new Promise((resolve) => setTimeout(resolve, 20)))
    expect(inputs('SubscribeToShard')).toHaveLength(2)
  })

  it('reading elsewhere begins anew there', async () => {
    const reading = readSome(START)
    const first = await done(service.nextShard())
    first.push(pushed(1, 4))
    await done(reading)
    const again = readSome({ at: 'at_timestamp', timestampMs: 1_700_000_002_000 })
    const second = await done(service.nextShard())
    expect(second.input.StartingPosition).toEqual({ Type: 'AT_TIMESTAMP', Timestamp: 1_700_000_002 })
    await first.closed
    second.push(pushed(2, 4))
    expect(numbers(await done(again))).toEqual([2, 3, 4])
  })

  it('a consumer that somebody removed is looked for and registered again', async () => {
    script.SubscribeToShard = [problem('ResourceNotFoundException', `Consumer ${CONSUMER_ARN} not found.`)]
    await expect(done(read(START))).rejects.toMatchObject({
      code: 'EDDY_KINESIS_UNAVAILABLE',
      retryable: true,
    })
    const reading = readSome(START)
    ;(await done(service.nextShard())).push(pushed(1, 1))
    expect(numbers(await done(reading))).toEqual([1])
    expect(inputs('DescribeStreamConsumer')).toHaveLength(2)
  })

  it('that may not subscribe is an error for good', async () => {
    script.SubscribeToShard = [problem('AccessDeniedException')]
    await expect(done(read(START))).rejects.toMatchObject({ code: 'EDDY_KINESIS_REFUSED', retryable: false })
  })
})
