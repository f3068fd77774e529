import { VirtualClock } from '@eddy/testing'
import {
  FunctionExit,
  type KinesisEvent,
  type KinesisMappingOptions,
  LambdaFunction,
  type LambdaHandler,
  startKinesisMapping,
} from '@eddy/testing/lambda'
import { describe, expect, it } from 'vitest'
import { MemoryStream } from './support/memory-stream.ts'

const STREAM_ARN = 'arn:aws:kinesis:eu-west-1:000000000000:stream/orders'
const SHARD = 'shardId-000000000000'

type Options = Partial<Omit<KinesisMappingOptions, 'clock' | 'source' | 'invoke'>> & {
  readonly timeoutMs?: number
  readonly reservedConcurrency?: number
}

/** A stream of one shard, a mapping and a function on a virtual clock. */
function mapped(handler: LambdaHandler, options: Options = {}) {
  const clock = new VirtualClock({ seed: 1 })
  const source = new MemoryStream()
  source.open(SHARD)
  const { timeoutMs, reservedConcurrency, ...rest } = options
  const fn = new LambdaFunction({
    clock,
    handler,
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(reservedConcurrency !== undefined && { reservedConcurrency }),
  })
  const put = (count: number, keyOf: (index: number) => string = () => 'k'): void => {
    for (let index = 0; index < count; index += 1) source.put(SHARD, keyOf(index), { index }, clock.now())
  }
  const start = () =>
    startKinesisMapping({
      clock,
      source,
      invoke: fn.invoke,
      functionArn: fn.arn,
      streamArn: STREAM_ARN,
      ...rest,
    })
  return { clock, source, fn, put, start }
}

const indexesOf = (event: KinesisEvent): number[] =>
  event.Records.map((record) => JSON.parse(Buffer.from(record.kinesis.data, 'base64').toString()).index)

describe('Event source mapping of a Kinesis stream', () => {
  it('gives records in the documented shape, in order, up to the batch size', async () => {
    const events: KinesisEvent[] = []
    const { clock, put, start } = mapped(async (event: KinesisEvent) => void events.push(event), {
      batchSize: 4,
    })
    put(10)
    const mapping = start()
    await clock.advance(5_000)
    expect(events.map(indexesOf)).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ])
    expect(events[0]?.Records[0]).toEqual({
      kinesis: {
        kinesisSchemaVersion: '1.0',
        partitionKey: 'k',
        sequenceNumber: '1000',
        data: Buffer.from('{"index":0}').toString('base64'),
        approximateArrivalTimestamp: Date.UTC(2026, 0, 1) / 1_000,
      },
      eventSource: 'aws:kinesis',
      eventVersion: '1.0',
      eventID: `${SHARD}:1000`,
      eventName: 'aws:kinesis:record',
      invokeIdentityArn: 'arn:aws:iam::000000000000:role/lambda-role',
      awsRegion: 'eu-west-1',
      eventSourceARN: STREAM_ARN,
    })
    await clock.settle(mapping.stop())
  })

  it('waits for the batching window, or for a full batch', async () => {
    const sizes: [number, number][] = []
    const { clock, put, start } = mapped(
      async (event: KinesisEvent) => void sizes.push([clock.monotonicMs(), event.Records.length]),
      { batchSize: 5, maximumBatchingWindowMs: 30_000 },
    )
    put(2)
    const mapping = start()
    await clock.advance(29_000)
    expect(sizes).toEqual([])
    await clock.advance(2_000)
    expect(sizes).toEqual([[30_000, 2]])
    put(5)
    await clock.advance(1_500)
    expect(sizes.at(-1)?.[1]).toBe(5)
    await clock.settle(mapping.stop())
  })

  it('cuts a batch at 6 MB of event JSON', async () => {
    const bytes: number[] = []
    const { clock, source, start } = mapped(
      async (event: KinesisEvent) => void bytes.push(Buffer.byteLength(JSON.stringify(event))),
      { batchSize: 1_000 },
    )
    for (let index = 0; index < 12; index += 1) source.put(SHARD, 'k', 'x'.repeat(900_000), clock.now())
    const mapping = start()
    await clock.advance(3_000)
    expect(bytes.length).toBe(3)
    expect(Math.max(...bytes)).toBeLessThanOrEqual(6 * 1024 * 1024)
    await clock.settle(mapping.stop())
  })

  it('a failing batch blocks its shard and is retried whole until the retries are used up; then it is discarded and told', async () => {
    const calls: number[][] = []
    const bodies: string[] = []
    const { clock, put, start } = mapped(
      async (event: KinesisEvent) => {
        calls.push(indexesOf(event))
        if (indexesOf(event).includes(1)) throw new TypeError('bad')
      },
      {
        batchSize: 2,
        maximumRetryAttempts: 2,
        onFailure: { type: 'sqs', send: (body) => void bodies.push(body) },
      },
    )
    put(4)
    const mapping = start()
    await clock.advance(60_000)
    expect(calls).toEqual([
      [0, 1],
      [0, 1],
      [0, 1],
      [2, 3],
    ])
    expect(mapping.discarded.map((record) => record.kinesis.sequenceNumber)).toEqual(['1000', '1001'])
    const document = JSON.parse(bodies[0] as string)
    expect(document).toMatchObject({
      requestContext: { condition: 'RetryAttemptsExhausted', approximateInvokeCount: 3 },
      responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
      version: '1.0',
      KinesisBatchInfo: {
        shardId: SHARD,
        startSequenceNumber: '1000',
        endSequenceNumber: '1001',
        batchSize: 2,
        streamArn: STREAM_ARN,
      },
    })
    expect(document.payload).toBeUndefined()
    await clock.settle(mapping.stop())
  })

  it('sends S3 the whole event as escaped JSON, under the documented name', async () => {
    const objects: [string, string][] = []
    const { clock, put, start } = mapped(
      async () => {
        throw new Error('bad')
      },
      {
        maximumRetryAttempts: 0,
        uuid: 'a1b2',
        onFailure: { type: 's3', put: (key, body) => void objects.push([key, body]) },
      },
    )
    put(2)
    const mapping = start()
    await clock.advance(5_000)
    const [key, body] = objects[0] as [string, string]
    expect(key).toMatch(
      /^aws\/lambda\/a1b2\/shardId-000000000000\/2026\/01\/01\/2026-01-01T00\.00\.\d\d-[0-9a-f-]{36}$/,
    )
    expect(indexesOf(JSON.parse(JSON.parse(body).payload))).toEqual([0, 1])
    await clock.settle(mapping.stop())
  })

  it('bisects a failing batch without using up retries, in order', async () => {
    const calls: number[][] = []
    const { clock, put, start } = mapped(
      async (event: KinesisEvent) => {
        calls.push(indexesOf(event))
        if (indexesOf(event).includes(2)) throw new Error('bad')
      },
      { batchSize: 4, bisectBatchOnFunctionError: true, maximumRetryAttempts: 1 },
    )
    put(6)
    const mapping = start()
    await clock.advance(60_000)
    expect(calls).toEqual([[0, 1, 2, 3], [0, 1], [2, 3], [2], [2], [3], [4, 5]])
    expect(mapping.discarded.map((record) => record.kinesis.sequenceNumber)).toEqual(['1002'])
    await clock.settle(mapping.stop())
  })

  it('goes on from the lowest reported failure, successes behind it included', async () => {
    const calls: number[][] = []
    let failures = 0
    const { clock, put, start } = mapped(
      async (event: KinesisEvent) => {
        calls.push(indexesOf(event))
        if (!indexesOf(event).includes(2) || failures++ > 0) return { batchItemFailures: [] }
        const named = event.Records.filter((_, index) => index === 4 || index === 2)
        return {
          batchItemFailures: named
            .reverse()
            .map((record) => ({ itemIdentifier: record.kinesis.sequenceNumber })),
        }
      },
      { batchSize: 6, reportBatchItemFailures: true },
    )
    put(6)
    const mapping = start()
    await clock.advance(10_000)
    expect(calls).toEqual([
      [0, 1, 2, 3, 4, 5],
      [2, 3, 4, 5],
    ])
    await clock.settle(mapping.stop())
  })

  const refused: [string, unknown][] = [
    ['an empty identifier', { batchItemFailures: [{ itemIdentifier: '' }] }],
    ['a null identifier', { batchItemFailures: [{ itemIdentifier: null }] }],
    ['another name', { batchItemFailures: [{ sequenceNumber: '1000' }] }],
    ['an identifier of no record', { batchItemFailures: [{ itemIdentifier: '7' }] }],
  ]
  for (const [what, answer] of refused) {
    it(`takes ${what} for a complete failure`, async () => {
      const { clock, fn, put, start } = mapped(async () => answer, {
        reportBatchItemFailures: true,
        maximumRetryAttempts: 1,
      })
      put(2)
      const mapping = start()
      await clock.advance(10_000)
      expect(fn.invocations).toBe(2)
      expect(mapping.discarded.length).toBe(2)
      await clock.settle(mapping.stop())
    })
  }

  it('an answer counts for nothing without ReportBatchItemFailures', async () => {
    const { clock, fn, put, start } = mapped(async () => ({
      batchItemFailures: [{ itemIdentifier: '1000' }],
    }))
    put(1)
    const mapping = start()
    await clock.advance(10_000)
    expect(fn.invocations).toBe(1)
    await clock.settle(mapping.stop())
  })

  it('discards what grew too old, and says so', async () => {
    const bodies: string[] = []
    const { clock, put, start } = mapped(
      async () => {
        throw new Error('down')
      },
      { maximumRecordAgeMs: 60_000, onFailure: { type: 'sns', send: (body) => void bodies.push(body) } },
    )
    put(3)
    const mapping = start()
    await clock.advance(200_000)
    expect(mapping.discarded.length).toBe(3)
    expect(JSON.parse(bodies[0] as string).requestContext.condition).toBe('RecordAgeExceeded')
    await clock.settle(mapping.stop())
  })

  it('keeps the order of each key with parallelization, and one lane does not wait for another', async () => {
    const seen = new Map<string, number[]>()
    const { clock, source, start } = mapped(
      async (event: KinesisEvent) => {
        for (const { kinesis } of event.Records) {
          const { index } = JSON.parse(Buffer.from(kinesis.data, 'base64').toString())
          if (kinesis.partitionKey === 'stuck') throw new Error('stuck')
          seen.set(kinesis.partitionKey as string, [
            ...(seen.get(kinesis.partitionKey as string) ?? []),
            index,
          ])
        }
      },
      { batchSize: 1, parallelizationFactor: 10 },
    )
    for (let index = 0; index < 200; index += 1) {
      source.put(SHARD, index === 0 ? 'stuck' : `key-${index % 20}`, { index }, clock.now())
    }
    const mapping = start()
    await clock.advance(20_000)
    for (const indexes of seen.values()) expect(indexes).toEqual([...indexes].sort((a, b) => a - b))
    // Some keys share the stuck lane.
    expect(seen.size).toBeGreaterThan(10)
    expect(seen.size).toBeLessThan(20)
    await clock.settle(mapping.stop())
  })

  it('throttles use up no retry', async () => {
    const { clock, fn, put, start } = mapped(async () => {}, {
      reservedConcurrency: 0,
      maximumRetryAttempts: 0,
    })
    put(1)
    const mapping = start()
    await clock.advance(120_000)
    expect(fn.invocations).toBe(0)
    expect(mapping.discarded).toEqual([])
    await clock.settle(mapping.stop())
  })

  it('a timeout and the end of a process are function errors', async () => {
    let calls = 0
    const { clock, put, start } = mapped(
      async () => {
        calls += 1
        if (calls === 1) await clock.sleep(10_000)
        if (calls === 2) throw new FunctionExit()
      },
      { timeoutMs: 1_000 },
    )
    put(1)
    const mapping = start()
    await clock.advance(30_000)
    expect(calls).toBe(3)
    await clock.settle(mapping.stop())
  })

  it('filters by data before the function is called; what is not JSON does not match a pattern of JSON', async () => {
    const seen: unknown[] = []
    const { clock, source, start } = mapped(
      async (event: KinesisEvent) => {
        for (const { kinesis } of event.Records) seen.push(Buffer.from(kinesis.data, 'base64').toString())
      },
      {
        filterCriteria: {
          filters: [
            {
              pattern:
                '{"data":{"total":[{"numeric":[">",10,"<=",20]}],"state":[{"anything-but":["void"]}]}}',
            },
            { pattern: '{"data":{"name":[{"prefix":"vip-"}],"test":[{"exists":false}]}}' },
          ],
        },
      },
    )
    const data = [
      { total: 15, state: 'paid' },
      { total: 15, state: 'void' },
      { total: 10, state: 'paid' },
      { name: 'vip-1' },
      { name: 'vip-2', test: true },
      'not JSON',
    ]
    for (const value of data) source.put(SHARD, 'k', value, clock.now())
    const mapping = start()
    await clock.advance(5_000)
    expect(seen).toEqual(['{"total":15,"state":"paid"}', '{"name":"vip-1"}'])
    expect(mapping.filtered).toBe(4)
    await clock.settle(mapping.stop())
  })

  it('delivers a parent to its end before its children begin', async () => {
    const seen: string[] = []
    const { clock, source, start } = mapped(async (event: KinesisEvent) => {
      for (const record of event.Records) seen.push(record.eventID.split(':')[0] as string)
    })
    const children = ['shardId-000000000001', 'shardId-000000000002']
    for (const child of children) source.open(child, [SHARD])
    for (const shard of [...children, SHARD]) source.put(shard, 'k', {}, clock.now())
    source.close(SHARD)
    const mapping = start()
    await clock.advance(30_000)
    expect(seen[0]).toBe(SHARD)
    expect(seen.slice(1).sort()).toEqual(children)
    await clock.settle(mapping.stop())
  })

  it('refuses what CreateEventSourceMapping refuses, by the name of the option', () => {
    const bad: Options[] = [
      { batchSize: 10_001 },
      { parallelizationFactor: 11 },
      { maximumRetryAttempts: -2 },
      { maximumRecordAgeMs: 1_000 },
      { maximumBatchingWindowMs: 300_001 },
    ]
    for (const options of bad) {
      expect(() => mapped(async () => {}, options).start()).toThrow(
        new RegExp(Object.keys(options)[0] as string),
      )
    }
  })
})
