import { VirtualClock } from '@eddy/testing'
import {
  type KinesisEvent,
  LambdaFunction,
  type SqsEvent,
  startKinesisMapping,
  startSqsMapping,
} from '@eddy/testing/lambda'
import { describe, expect, it } from 'vitest'
import { MemoryQueue } from './support/memory-queue.ts'
import { MemoryStream } from './support/memory-stream.ts'

const SHARD = 'shardId-000000000000'

/** Fails every other call. */
function unreliable<T extends object>(source: T): T {
  let calls = 0
  return new Proxy(source, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      return (...args: unknown[]): unknown => {
        calls += 1
        if (calls % 2 === 1) return Promise.reject(new Error('the connection was cut'))
        return (member as (...args: unknown[]) => unknown).apply(target, args)
      }
    },
  })
}

describe('A mapping whose source fails', () => {
  it('asks a stream again, and delivers all of it', async () => {
    const clock = new VirtualClock({ seed: 1 })
    const source = new MemoryStream()
    source.open(SHARD)
    for (let index = 0; index < 3; index += 1) source.put(SHARD, 'k', { index }, clock.now())
    const delivered: string[] = []
    const fn = new LambdaFunction({
      clock,
      handler: async (event: KinesisEvent) =>
        void delivered.push(...event.Records.map(({ kinesis }) => kinesis.sequenceNumber)),
    })
    const mapping = startKinesisMapping({
      clock,
      source: unreliable(source),
      streamArn: 'arn:aws:kinesis:eu-west-1:000000000000:stream/orders',
      functionArn: fn.arn,
      invoke: fn.invoke,
    })
    await clock.advance(30_000)
    expect(delivered).toHaveLength(3)
    await clock.settle(mapping.stop())
  })

  it('asks a queue again, and deletes what was done', async () => {
    const clock = new VirtualClock({ seed: 1 })
    const queue = new MemoryQueue(clock, 30_000)
    for (let index = 0; index < 3; index += 1) queue.send(`body ${index}`)
    const delivered: string[] = []
    const fn = new LambdaFunction({
      clock,
      handler: async (event: SqsEvent) => void delivered.push(...event.Records.map(({ body }) => body)),
    })
    const mapping = startSqsMapping({
      clock,
      source: unreliable(queue),
      queueArn: 'arn:aws:sqs:eu-west-1:000000000000:retries',
      invoke: fn.invoke,
    })
    await clock.advance(60_000)
    expect(delivered).toEqual(['body 0', 'body 1', 'body 2'])
    expect(queue.size).toBe(0)
    await clock.settle(mapping.stop())
  })
})
