import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch'
import { VirtualClock } from '@eddy/testing'
import {
  type KinesisEvent,
  type LambdaCallback,
  type LambdaContext,
  LambdaFunction,
  type LambdaHandler,
  startKinesisMapping,
} from '@eddy/testing/lambda'
import { describe, expect, it } from 'vitest'
import { MemoryStream } from './support/memory-stream.ts'

const SHARD = 'shardId-000000000000'

async function run(handler: LambdaHandler, reportBatchItemFailures: boolean) {
  const clock = new VirtualClock({ seed: 1 })
  const source = new MemoryStream()
  source.open(SHARD)
  for (let index = 0; index < 5; index += 1) source.put(SHARD, 'k', { index }, clock.now())
  const fn = new LambdaFunction({ clock, handler })
  const mapping = startKinesisMapping({
    clock,
    source,
    streamArn: 'arn:aws:kinesis:us-east-1:000000000000:stream/orders',
    functionArn: fn.arn,
    invoke: fn.invoke,
    reportBatchItemFailures,
    maximumRetryAttempts: 3,
  })
  await clock.advance(60_000)
  await clock.settle(mapping.stop())
  return { fn, mapping }
}

const indexOf = (data: string): number => JSON.parse(Buffer.from(data, 'base64').toString()).index

describe("Other people's handlers run under the mapping", () => {
  it("Powertools' batch processor: a record that fails once is handled again, and what came after it", async () => {
    const handled: number[] = []
    let failed = false
    const processor = new BatchProcessor(EventType.KinesisDataStreams)
    const handler = async (event: KinesisEvent, context: LambdaContext) =>
      processPartialResponse(
        event as never,
        async (record: { readonly kinesis: { readonly data: string } }) => {
          const index = indexOf(record.kinesis.data)
          if (index === 2 && !failed) {
            failed = true
            throw new Error('once')
          }
          handled.push(index)
        },
        processor,
        { context: context as never },
      )
    const { fn, mapping } = await run(handler, true)
    expect(fn.invocations).toBe(2)
    expect(handled.sort()).toEqual([0, 1, 2, 3, 3, 4, 4])
    expect(mapping.discarded).toEqual([])
  })

  it('a handler of the nodejs6 era that calls back', async () => {
    const handled: number[] = []
    let calls = 0
    const handler = (event: KinesisEvent, _context: LambdaContext, callback: LambdaCallback): void => {
      calls += 1
      if (calls === 1) {
        callback(new Error('not yet'))
        return
      }
      for (const record of event.Records) handled.push(indexOf(record.kinesis.data))
      callback(null, `processed ${event.Records.length} records`)
    }
    await run(handler, false)
    expect(calls).toBe(2)
    expect(handled).toEqual([0, 1, 2, 3, 4])
  })

  it('a handler of the nodejs0.10 era that ends by its context', async () => {
    let calls = 0
    const handler = (_event: KinesisEvent, context: LambdaContext): void => {
      calls += 1
      if (calls === 1) context.fail('not yet')
      else context.succeed('done')
    }
    const { mapping } = await run(handler, false)
    expect(calls).toBe(2)
    expect(mapping.discarded).toEqual([])
  })
})
