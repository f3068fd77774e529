import { KINESIS_LIMITS } from '@eddy/core'
import * as fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { AwsError } from '../../../src/aws/aws-error.ts'
import type { RawAnswer } from '../../../src/aws/aws-service.ts'
import { callOperation } from '../../../src/aws/call-operation.ts'
import { scanPutRecords } from '../../../src/aws/kinesis/raw/scan-put-records.ts'
import { kinesisModel } from '../../../src/aws/model/kinesis-model.ts'
import { decodeJson } from '../../../src/aws/protocol/decode-json.ts'
import { type Answer, KinesisUnderTest } from './support/kinesis-under-test.ts'

let kinesis: KinesisUnderTest

afterEach(async () => kinesis?.service.close())

const call = { signal: new AbortController().signal, region: 'r', accountId: '0'.repeat(12), baseUrl: '' }

/** What the general way makes of a body, as JSON or as a refusal. */
async function general(operation: string, body: string): Promise<Answer> {
  return settled(async () => {
    const input = decodeJson(kinesisModel, operation, JSON.parse(body))
    return await callOperation(kinesis.service, operation, input, call)
  })
}

/** The same by the raw way; undefined when it leaves the body to the general one. */
async function raw(operation: string, body: string): Promise<Answer> {
  const answer = kinesis.service.rawOperations?.get(operation)?.(Buffer.from(body), call)
  if (answer === undefined) return undefined
  return settled(async () => JSON.parse(Buffer.from((await answer).body).toString('utf8')))
}

async function rawPage(body: string): Promise<RawAnswer> {
  const answer = kinesis.service.rawOperations?.get('GetRecords')?.(Buffer.from(body), call)
  if (answer === undefined) throw new Error('the raw way left the body to the general one')
  return kinesis.world.clock.settle(answer)
}

function parsed({ body }: RawAnswer): Answer {
  return JSON.parse(Buffer.from(body).toString('utf8'))
}

async function settled(run: () => Promise<Answer>): Promise<Answer> {
  try {
    const answer = await kinesis.world.clock.settle(run())
    return JSON.parse(JSON.stringify(answer, encoded))
  } catch (error) {
    if (!(error instanceof AwsError)) throw error
    return { code: error.code, message: error.message, status: error.status }
  }
}

/** As the JSON protocol writes bytes and times. */
function encoded(this: Answer, name: string, value: unknown): unknown {
  const given = name === '' ? value : this[name]
  if (given instanceof Date) return given.getTime() / 1_000
  return given instanceof Uint8Array ? Buffer.from(given).toString('base64') : value
}

/** Numbers rise from one put to the next. */
const withoutNumbers = (answer: Answer): string =>
  JSON.stringify(answer, (name, value) => (name === 'SequenceNumber' ? 'number' : value))

const data = fc.oneof(
  { weight: 40, arbitrary: fc.uint8Array({ maxLength: 40 }).map((b) => Buffer.from(b).toString('base64')) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '====',
      'A===',
      'AA=A',
      'AB==',
      'AAB=',
      'A-_A',
      'A',
      'AA A',
      'AA\\/A',
      '\\u0041AAA',
      'é',
    ),
  },
)
const key = fc.oneof(
  { weight: 40, arbitrary: fc.stringMatching(/^[ -!#-[\]-~]{1,20}$/) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', 'ü', '\\n', '\\"', '\t', '\\ud800', 'x'.repeat(256), 'x'.repeat(257)),
  },
)
const hashKey = fc.constantFrom(
  '0',
  '1',
  '01',
  '-1',
  'x',
  `${2n ** 127n}`,
  `${2n ** 128n}`,
  '9'.repeat(39),
  '9'.repeat(40),
)
const quoted = (text: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 100, arbitrary: text.map((one) => `"${one}"`) },
    { weight: 1, arbitrary: fc.constantFrom('null', '1', '{}', '[]') },
  )
const space = fc.constantFrom('', '', '', ' ', '\n\t', '\r')

/** Members in any order, some of them left out or given twice, with white space between. */
function object(members: readonly (readonly [string, fc.Arbitrary<string>, number])[]): fc.Arbitrary<string> {
  const each = members.map(([name, value, weight]) =>
    fc
      .tuple(space, value, fc.nat(9))
      .map(([blank, text, luck]) => (luck < weight ? `"${name}"${blank}:${text}` : '')),
  )
  return fc
    .tuple(
      fc.shuffledSubarray(
        each.map((_, i) => i),
        { minLength: each.length },
      ),
      space,
      ...each,
    )
    .map(
      ([order, blank, ...texts]) =>
        `{${order
          .map((i) => texts[i] as string)
          .filter(Boolean)
          .join(`${blank},`)}}`,
    )
}

const record = object([
  ['Data', quoted(data), 10],
  ['PartitionKey', quoted(key), 10],
  ['ExplicitHashKey', quoted(hashKey), 2],
])
const body = fc
  .tuple(
    object([
      ['Records', fc.array(record, { maxLength: 4 }).map((records) => `[${records.join(', ')}]`), 10],
      ['StreamName', quoted(fc.constantFrom(...Array(12).fill('orders'), 'none', 'a b', '')), 10],
      ['StreamARN', quoted(fc.constant(`arn:aws:kinesis:us-east-1:000000000000:stream/orders`)), 1],
      ['DryRun', fc.constantFrom('true', 'false'), 1],
      ['Other', fc.constantFrom('1', '"x"'), 1],
    ]),
    fc.constantFrom('', '', '', '', '', '', ' ', 'x', '}'),
  )
  .map(([text, end]) => text + end)

describe('Raw ways of the Kinesis endpoint', () => {
  it('PutRecords from bytes does and answers what the general way does, or leaves the body to it', async () => {
    kinesis = await KinesisUnderTest.start()
    await kinesis.create('orders', 2)
    let taken = 0
    await fc.assert(
      fc.asyncProperty(body, async (text) => {
        const fast = await raw('PutRecords', text)
        if (fast === undefined) return
        taken += 1
        expect(withoutNumbers(fast)).toBe(withoutNumbers(await general('PutRecords', text)))
      }),
      { numRuns: 600 },
    )
    // The generator makes enough that is plain.
    expect(taken).toBeGreaterThan(60)
    // Each accepted body was stored twice, the same both times and in the same order.
    for (const ShardId of ['0', '1']) {
      const { Records } = await kinesis.call('GetRecords', {
        ShardIterator: await kinesis.iterator('TRIM_HORIZON', { ShardId }),
      })
      const stored = Records.map(
        (one: Answer) => `${one.PartitionKey} ${Buffer.from(one.Data).toString('hex')}`,
      )
      expect([...count(stored).values()].filter((times) => times % 2 !== 0)).toEqual([])
    }
  })

  it('what SDKs write is read from bytes: with and without white space, in any order of members', () => {
    const Data = Buffer.from('bytes').toString('base64')
    const input = {
      StreamName: 'orders',
      Records: [
        { Data, PartitionKey: 'k' },
        { PartitionKey: 'k', Data },
      ],
    }
    for (const text of [JSON.stringify(input), JSON.stringify(input, null, 2)]) {
      const scanned = scanPutRecords(Buffer.from(text))
      expect(scanned?.Records.map(({ Data: bytes }) => Buffer.from(bytes).toString())).toEqual([
        'bytes',
        'bytes',
      ])
    }
    expect(scanPutRecords(Buffer.from(JSON.stringify(input).slice(0, -1)))).toBeUndefined()
  })

  it('throttled records are answered in the same words', async () => {
    kinesis = await KinesisUnderTest.start({ limits: { ...KINESIS_LIMITS, writeRecordsPerSecond: 2 } })
    await kinesis.create()
    const Records = Array.from({ length: 3 }, (_, i) => ({ Data: 'AAAA', PartitionKey: `k${i}` }))
    const text = JSON.stringify({ StreamName: 'orders', Records })
    const fast = await raw('PutRecords', text)
    expect(fast.FailedRecordCount).toBe(1)
    await kinesis.advance(1_000)
    expect(withoutNumbers(fast)).toBe(withoutNumbers(await general('PutRecords', text)))
  })

  it('GetRecords to bytes answers what the general way answers', async () => {
    kinesis = await KinesisUnderTest.start()
    await kinesis.create('orders', 1)
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(
            fc.uint8Array({ maxLength: 50 }),
            fc.string({ minLength: 1, maxLength: 20, unit: 'binary' }),
          ),
          {
            minLength: 1,
            maxLength: 5,
          },
        ),
        fc.integer({ min: 1, max: 6 }),
        async (records, Limit) => {
          const ShardIterator = await kinesis.iterator('LATEST')
          const Records = records.map(([Data, PartitionKey]) => ({ Data, PartitionKey }))
          await kinesis.call('PutRecords', { StreamName: 'orders', Records })
          await kinesis.advance(7)
          const text = JSON.stringify({ ShardIterator, Limit })
          expect(await raw('GetRecords', text)).toEqual(await general('GetRecords', text))
        },
      ),
      { numRuns: 100 },
    )
  })

  it('GetRecords: pages of megabytes are written whole, in memory that is used again once it is released', async () => {
    kinesis = await KinesisUnderTest.start()
    await kinesis.create('orders', 1)
    for (const bytes of [300_000, 700_000]) {
      const Records = Array.from({ length: 4 }, (_, i) => ({
        Data: new Uint8Array(bytes).fill(bytes + i),
        PartitionKey: `key ${i}`,
      }))
      await kinesis.call('PutRecords', { StreamName: 'orders', Records })
    }
    const first = JSON.stringify({ ShardIterator: await kinesis.iterator('TRIM_HORIZON'), Limit: 4 })
    const all = JSON.stringify({ ShardIterator: await kinesis.iterator('TRIM_HORIZON') })
    const right = new Map<string, string>()
    for (const text of [first, all]) right.set(text, JSON.stringify(await general('GetRecords', text)))
    // Differences of megabytes are not for showing: compared here.
    const isRight = (answer: RawAnswer, text: string) => JSON.stringify(parsed(answer)) === right.get(text)
    const one = await rawPage(first)
    const two = await rawPage(first)
    expect(one.body.buffer === two.body.buffer).toBe(false)
    two.release?.()
    const three = await rawPage(first)
    expect(three.body.buffer === two.body.buffer).toBe(true)
    // This one outgrows the memory that it begins in.
    expect([isRight(await rawPage(all), all), isRight(three, first), isRight(one, first)]).toEqual(
      Array(3).fill(true),
    )
    // A small answer holds no megabytes.
    const none = await rawPage(JSON.stringify({ ShardIterator: await kinesis.iterator('LATEST') }))
    expect(none.release).toBeUndefined()
    expect(none.body.buffer.byteLength).toBeLessThan(100_000)
  })

  it('GetRecords: what has expired is left out, though the log still has it', async () => {
    kinesis = await KinesisUnderTest.start()
    await kinesis.create('orders', 1)
    await kinesis.put('expired')
    await kinesis.advance(24 * 3_600_000 - 1)
    await kinesis.put('kept')
    await kinesis.advance(1_000)
    await kinesis.call('IncreaseStreamRetentionPeriod', { StreamName: 'orders', RetentionPeriodHours: 48 })
    const text = JSON.stringify({ ShardIterator: await kinesis.iterator('TRIM_HORIZON') })
    const fast = await raw('GetRecords', text)
    expect(fast.Records).toHaveLength(1)
    expect(fast).toEqual(await general('GetRecords', text))
  })

  it('GetRecords: a record without a key has none in the answer', async () => {
    kinesis = await KinesisUnderTest.start()
    await kinesis.call('CreateStream', {
      StreamName: 'orders',
      StreamModeDetails: { StreamMode: 'ON_DEMAND' },
    })
    await kinesis.call('UpdateStreamRecordDistributionStrategy', {
      StreamARN: `arn:aws:kinesis:us-east-1:000000000000:stream/orders`,
      RecordDistributionStrategy: 'AUTO',
    })
    const record = { StreamName: 'orders', Data: Buffer.from('x') }
    await kinesis.call('PutRecord', record)
    await kinesis.call('PutRecord', { ...record, PartitionKey: 'k' })
    const keys: string[][] = []
    for (const { ShardId } of await kinesis.shards()) {
      const text = JSON.stringify({ ShardIterator: await kinesis.iterator('TRIM_HORIZON', { ShardId }) })
      const fast = await raw('GetRecords', text)
      expect(fast).toEqual(await general('GetRecords', text))
      keys.push(...fast.Records.map((one: Answer) => Object.keys(one)))
    }
    expect(keys.map((names) => names.includes('PartitionKey')).sort()).toEqual([false, true])
  })

  it('GetRecords: reads over the rate are refused in the same words', async () => {
    kinesis = await KinesisUnderTest.start({ limits: { ...KINESIS_LIMITS, readCallsPerSecond: 1 } })
    await kinesis.create('orders', 1)
    await kinesis.put('one')
    const text = JSON.stringify({ ShardIterator: await kinesis.iterator('TRIM_HORIZON') })
    expect((await raw('GetRecords', text)).Records).toHaveLength(1)
    const refused = await raw('GetRecords', text)
    expect(refused.code).toBe('ProvisionedThroughputExceededException')
    expect(refused).toEqual(await general('GetRecords', text))
  })

  it('GetRecords: ends of shards, refusals and members that are rare', async () => {
    kinesis = await KinesisUnderTest.start()
    await kinesis.create('orders', 1)
    const ShardIterator = await kinesis.iterator('TRIM_HORIZON')
    await kinesis.call('SplitShard', { StreamName: 'orders', ShardToSplit: '0', NewStartingHashKey: '7' })
    const atEnd = JSON.stringify({ ShardIterator })
    expect((await raw('GetRecords', atEnd)).ChildShards).toHaveLength(2)
    expect(await raw('GetRecords', atEnd)).toEqual(await general('GetRecords', atEnd))
    for (const stream of ['orders', 'other']) {
      const StreamARN = `arn:aws:kinesis:us-east-1:000000000000:stream/${stream}`
      const named = JSON.stringify({ ShardIterator, StreamARN })
      expect(await raw('GetRecords', named)).toEqual(await general('GetRecords', named))
    }
    const garbage = JSON.stringify({ ShardIterator: 'x' })
    expect(await raw('GetRecords', garbage)).toEqual(await general('GetRecords', garbage))
    const others = [
      { ShardIterator, DryRun: true },
      { ShardIterator, Limit: 0 },
      { ShardIterator, StreamARN: 'orders' },
      { ShardIterator, Limit: 10_001 },
      { ShardIterator: '' },
      { ShardIterator: 'x'.repeat(513) },
      { ShardIterator: 1 },
      { Limit: 1 },
      null,
    ]
    for (const other of others) expect(await raw('GetRecords', JSON.stringify(other))).toBeUndefined()
    expect(await raw('GetRecords', '{')).toBeUndefined()
  })
})

function count(texts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1)
  return counts
}
