import { defineApp, type Engine, encodeEvent, fixed, stream, subscribe } from '@eddy/core'
import { quietFaults } from '@eddy/testing'
import { describe, expect, it } from 'vitest'
import { eventOf } from './support/batch-events.ts'
import type { Sandbox } from './support/lambda-world.ts'
import { openWorld, sqsRecord } from './support/open-world.ts'

const MINUTE_MS = 60_000

describe('Rescue handler', () => {
  const poisonApp =
    (blocks: 'nothing' | 'key' | 'shard', handled: string[], tell: () => boolean) => (sandbox: Sandbox) =>
      defineApp({
        subscriptions: [
          subscribe('work', stream('events', { shards: 1 }), {
            // Never given up by itself: it is the service that gives up.
            failure: {
              blocks,
              exhausted: 'dead-letter',
              maxCrashes: 100,
              retry: fixed({ delayMs: 500, maxAttempts: 3 }),
            },
            handle: async (event) => {
              if (event.id === 'e3' && tell()) return await sandbox.exit()
              handled.push(event.id)
            },
          }),
        ],
      })
  const events = Array.from({ length: 10 }, (_, n) => ({ key: `k${n % 3}`, id: `e${n}`, data: { n } }))

  for (const blocks of ['nothing', 'key', 'shard'] as const)
    for (const type of ['s3', 'sqs', 'sns'] as const)
      it(`what a mapping gave up is handled from the ledger: blocks ${blocks}, document by ${type} (I2)`, async () => {
        const handled: string[] = []
        let isDeadly = true
        const objects = new Map<string, string>()
        const world = await openWorld(
          poisonApp(blocks, handled, () => isDeadly),
          {
            options: { readObject: async (_bucket, key) => objects.get(key) as string },
          },
        )
        await world.put('events', events)
        const rescue = world.fn('rescue')
        const documents: unknown[] = []
        const onFailure =
          type === 's3'
            ? {
                type,
                put: (key: string, body: string) => {
                  objects.set(key, body)
                  documents.push({
                    Records: [{ eventSource: 'aws:s3', s3: { bucket: { name: 'b' }, object: { key } } }],
                  })
                },
              }
            : {
                type,
                send: (body: string) => {
                  documents.push(
                    type === 'sqs'
                      ? { Records: [sqsRecord('r', body)] }
                      : {
                          Records: [
                            {
                              EventSource: 'aws:sns',
                              Sns: { MessageId: 'r', TopicArn: 't', Message: body, Timestamp: '' },
                            },
                          ],
                        },
                  )
                },
              }
        const mapping = world.mapStream('work', { maximumRetryAttempts: 2, onFailure })
        await world.clock.advance(MINUTE_MS)
        expect(mapping.discarded.length).toBeGreaterThan(0)
        expect(documents.length).toBe(1)
        isDeadly = false
        // Twice: a destination delivers at least once.
        for (const document of [...documents, ...documents])
          expect(await world.settle(rescue.invoke(document))).toMatchObject({ ok: true })
        world.mapRetries('work')
        await world.clock.advance(5 * MINUTE_MS)
        expect(new Set(handled)).toEqual(new Set(events.map(({ id }) => id)))
        const rescued = (await world.failures()).find(({ eventId }) => eventId === 'e3')
        expect(rescued?.status).toBe('resolved')
        expect(rescued?.note).toContain('RetryAttemptsExhausted')
      })

  it('where later events of a key have gone by, a rescued one runs late and is told so', async () => {
    const calls: [string, boolean][] = []
    let isDeadly = true
    const documents: string[] = []
    const world = await openWorld((sandbox) =>
      defineApp({
        subscriptions: [
          subscribe('work', stream('events', { shards: 1 }), {
            failure: { blocks: 'key', exhausted: 'dead-letter', maxCrashes: 100 },
            handle: async (event, ctx) => {
              if (event.id === 'e0' && isDeadly) return await sandbox.exit()
              calls.push([event.id, ctx.outOfOrder])
            },
          }),
        ],
      }),
    )
    await world.put('events', [{ key: 'k', id: 'e0', data: null }])
    world.mapStream('work', {
      maximumRetryAttempts: 1,
      onFailure: { type: 'sqs', send: (body) => void documents.push(body) },
    })
    await world.clock.advance(MINUTE_MS)
    await world.put('events', [{ key: 'k', id: 'e1', data: null }])
    await world.clock.advance(MINUTE_MS)
    isDeadly = false
    await world.settle(world.fn('rescue').invoke(JSON.parse(documents[0] as string)))
    world.mapRetries('work')
    await world.clock.advance(MINUTE_MS)
    expect(calls).toEqual([
      ['e1', false],
      ['e0', true],
    ])
  })

  it('what is noted as done with does not run again', async () => {
    const handled: string[] = []
    const documents: string[] = []
    let isDeadly = true
    const world = await openWorld((sandbox) =>
      defineApp({
        subscriptions: [
          subscribe('work', stream('events', { shards: 1 }), {
            failure: { blocks: 'nothing' },
            concurrency: 1,
            handle: async (event) => {
              if (event.id === 'e2' && isDeadly) {
                await world.clock.sleep(1_500)
                return await sandbox.exit()
              }
              handled.push(event.id)
            },
          }),
        ],
      }),
    )
    await world.put('events', events.slice(0, 4))
    world.mapStream('work', {
      maximumRetryAttempts: 0,
      onFailure: { type: 'sqs', send: (body) => void documents.push(body) },
    })
    await world.clock.advance(MINUTE_MS)
    expect(handled).toEqual(['e0', 'e1'])
    isDeadly = false
    await world.settle(world.fn('rescue').invoke(JSON.parse(documents[0] as string)))
    world.mapRetries('work')
    await world.clock.advance(MINUTE_MS)
    expect([...handled].sort()).toEqual(['e0', 'e1', 'e2', 'e3'])
  })

  it('puts keys side by side into the ledger: a large batch fits into the time of a function', async () => {
    const COUNT = 320
    const KEYS = 16
    const world = await openWorld(poisonApp('key', [], () => false))
    const many = Array.from({ length: COUNT }, (_, n) => ({ key: `k${n % KEYS}`, id: `e${n}`, data: null }))
    await world.put('events', many)
    const batch = await eventOf(world, 0, COUNT - 1)
    const document = {
      requestContext: { functionArn: 'f', condition: 'RetryAttemptsExhausted', approximateInvokeCount: 1 },
      KinesisBatchInfo: {
        shardId: 'shardId-000000000000',
        startSequenceNumber: batch.Records[0]?.kinesis.sequenceNumber,
        endSequenceNumber: batch.Records.at(-1)?.kinesis.sequenceNumber,
        batchSize: COUNT,
        streamArn: 'arn:aws:kinesis:eu-west-1:000000000000:stream/events',
      },
      payload: JSON.stringify(batch),
    }
    const CALL_MS = 5
    world.world.faults = { ...quietFaults, callMs: { minMs: CALL_MS, maxMs: CALL_MS } }
    const startMs = world.clock.now()
    expect(await world.settle(world.fn('rescue').invoke(document))).toMatchObject({ ok: true })
    expect(world.clock.now() - startMs).toBeLessThan((COUNT * CALL_MS) / 2)
    world.world.faults = quietFaults
    const status = await world.settle(world.operations.showSubscription('work'))
    expect(status).toMatchObject({ retrying: KEYS, held: COUNT - KEYS, heldKeys: KEYS })
  })

  it('of a long range between the first and the last record nothing is left out (I2)', async () => {
    const COUNT = 100_500
    const world = await openWorld(
      () =>
        defineApp({
          subscriptions: [
            subscribe('work', stream('events', { shards: 1 }), {
              failure: { blocks: 'nothing' },
              filter: { type: ['wanted'] },
              handle: () => undefined,
            }),
          ],
        }),
      { options: { engine: () => withLog(world.engine, COUNT) } },
    )
    const document = {
      requestContext: { functionArn: 'f', condition: 'RetryAttemptsExhausted', approximateInvokeCount: 1 },
      KinesisBatchInfo: {
        shardId: 'shardId-000000000000',
        startSequenceNumber: sequenceAt(0),
        endSequenceNumber: sequenceAt(COUNT - 1),
        batchSize: 2,
        streamArn: 'arn:aws:kinesis:eu-west-1:000000000000:stream/events',
      },
    }
    expect(await world.settle(world.fn('rescue').invoke(document))).toMatchObject({ ok: true })
    expect((await world.failures()).map(({ eventId }) => eventId).sort()).toEqual(['e0', `e${COUNT - 1}`])
  })

  it('a message that is no document is not quoted in the log', async () => {
    const lines: string[] = []
    const log = (fields: object, message: string): void => void lines.push(JSON.stringify([fields, message]))
    const world = await openWorld(
      poisonApp('key', [], () => false),
      { options: { logger: { debug: log, info: log, warn: log, error: log } } },
    )
    const result = await world.settle(
      world.fn('rescue').invoke({ Records: [sqsRecord('r1', 'card 4111-1111')] }),
    )
    expect(result).toMatchObject({ ok: true, payload: { batchItemFailures: [{ itemIdentifier: 'r1' }] } })
    expect(lines.join()).toContain('OnFailure')
    expect(lines.join()).not.toContain('4111')
  })

  it('a document that is none is not taken for handled', async () => {
    const world = await openWorld(poisonApp('key', [], () => false))
    const result = await world.settle(
      world.fn('rescue').invoke({ Records: [sqsRecord('r1', '{"some":"thing"}')] }),
    )
    expect(result).toMatchObject({ ok: true, payload: { batchItemFailures: [{ itemIdentifier: 'r1' }] } })
    expect(await world.settle(world.fn('rescue').invoke({ other: 1 }))).toMatchObject({
      ok: false,
      kind: 'error',
    })
  })
})

const sequenceAt = (n: number): string => String(10 ** 15 + n)

/** With a shard that has so many records, of which only the first and the last are wanted. */
function withLog({ log, queue, table, blobs, clock, md5Hex, md5, close }: Engine, count: number): Engine {
  const dataOf = (n: number) => {
    const type = n === 0 || n === count - 1 ? 'wanted' : 'other'
    return encodeEvent({ key: 'k', type, data: null }, { stream: 'events', id: `e${n}`, nowMs: 0 })
  }
  const long: Engine['log'] = Object.create(log, {
    listShards: { value: () => log.listShards('events') },
    describeStream: { value: () => log.describeStream('events') },
    read: {
      value: async ({ from, maxRecords }: Parameters<Engine['log']['read']>[0]) => {
        const first = Number((from as { sequenceNumber: string }).sequenceNumber) - 10 ** 15
        const records = Array.from({ length: Math.min(maxRecords, count - first) }, (_, index) => ({
          sequenceNumber: sequenceAt(first + index),
          partitionKey: 'k',
          data: dataOf(first + index),
          arrivedAtMs: 0,
        }))
        const next = { at: 'at_sequence_number', sequenceNumber: sequenceAt(first + records.length) }
        return { records, next, millisBehindLatest: 0, expiredRecords: 0 }
      },
    },
  })
  return { log: long, queue, table, blobs, clock, md5Hex, md5, close }
}
