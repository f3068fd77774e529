import { KINESIS_LIMITS } from '@eddy/core'
import { SimWorld } from '@eddy/testing'
import { decode, encode } from 'cborg'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AwsRequest } from '../../../src/aws/aws-request.ts'
import type { AwsService } from '../../../src/aws/aws-service.ts'
import { type KinesisService, kinesisService } from '../../../src/aws/kinesis/kinesis-service.ts'
import { sqsService } from '../../../src/aws/sqs/sqs-service.ts'
import { memoryLogger } from '../../support/memory-logger.ts'
import { type Asked, asker, cborRequest, formRequest, jsonRequest } from '../support/ask.ts'
import { requestsOf } from './encodings.ts'
import { runs, SEED } from './fuzz-runs.ts'
import { inputArbitrary, type Known } from './shape-arbitrary.ts'

const QueueUrl = 'http://localhost:4566/000000000000/fuzz'
const KNOWN: Known = {
  StreamName: ['fuzz'],
  StreamARN: ['arn:aws:kinesis:us-east-1:000000000000:stream/fuzz'],
  ResourceARN: ['arn:aws:kinesis:us-east-1:000000000000:stream/fuzz'],
  ShardId: ['shardId-000000000000', 'shardId-1', '0'],
  ExclusiveStartShardId: ['shardId-000000000000'],
  ShardToSplit: ['shardId-000000000000'],
  QueueUrl: [QueueUrl, `${QueueUrl}.fifo`],
  QueueName: ['fuzz', 'fuzz.fifo', 'another'],
  WaitTimeSeconds: [0, 1],
  SourceArn: ['arn:aws:sqs:us-east-1:000000000000:fuzz'],
}

/** Real services over a simulated engine: time passes as far as an answer needs. */
class Fuzzed {
  readonly lines: ReturnType<typeof memoryLogger>['lines']
  readonly services: readonly AwsService[]
  readonly #world: SimWorld
  readonly #kinesis: KinesisService
  readonly #ending: AbortController
  readonly #ask: (request: Partial<AwsRequest>) => Promise<Asked>

  private constructor(world: SimWorld, kinesis: KinesisService, sqs: AwsService, ending: AbortController) {
    const { logger, lines } = memoryLogger()
    this.lines = lines
    this.#world = world
    this.#kinesis = kinesis
    this.#ending = ending
    this.services = [kinesis, sqs]
    this.#ask = asker(this.services, { logger })
  }

  static async start(): Promise<Fuzzed> {
    // Loaded with its first request, in real time, which the virtual clock waits for only so long.
    await import('../../../src/aws/protocol/cbor-protocol.ts')
    const world = new SimWorld({ seed: 'fuzz' })
    const engine = world.boot()
    const ending = new AbortController()
    const options = {
      engine,
      region: 'us-east-1',
      accountId: '000000000000',
      stateMs: 0,
      limits: KINESIS_LIMITS,
    }
    const kinesis = await world.clock.settle(kinesisService(options))
    const sqs = sqsService({ table: engine.table, clock: engine.clock, signal: ending.signal })
    return new Fuzzed(world, kinesis, sqs, ending)
  }

  async ask(request: Partial<AwsRequest>): Promise<Asked> {
    return await this.#world.clock.settle(this.#ask(request))
  }

  /** A second later, or soon nothing but the limits of requests a second would be met. */
  async askLater(request: Partial<AwsRequest>): Promise<Asked> {
    await this.#world.clock.advance(1_000)
    return await this.ask(request)
  }

  /** Whatever was sent before: a record and a message go in. */
  async expectService(): Promise<void> {
    // So long a deleted queue's name is not to be had again.
    await this.#world.clock.advance(60_000)
    await this.ask(jsonRequest('Kinesis_20131202.CreateStream', { StreamName: 'fuzz', ShardCount: 1 }))
    await this.ask(jsonRequest('Kinesis_20131202.CreateStream', { StreamName: 'sane', ShardCount: 1 }))
    const put = { StreamName: 'sane', PartitionKey: 'k', Data: 'AA==' }
    expect((await this.ask(jsonRequest('Kinesis_20131202.PutRecord', put))).status).toBe(200)
    for (const [name, Attributes] of [
      ['fuzz', {}],
      ['fuzz.fifo', { FifoQueue: 'true' }],
      ['sane', {}],
    ] as const)
      await this.ask(jsonRequest('AmazonSQS.CreateQueue', { QueueName: name, Attributes }, '1.0'))
    const form = `Action=SendMessage&MessageBody=b&QueueUrl=${encodeURIComponent('http://localhost:4566/000000000000/sane')}`
    expect((await this.ask(formRequest(form))).status).toBe(200)
  }

  async end(): Promise<void> {
    this.#ending.abort()
    await this.#world.clock.settle(this.#kinesis.close())
  }
}

/** An answer of success or a refusal that says its kind, readable in its protocol; never a failure of our own. */
function expectAnswer({ status, headers, bytes, text }: Asked, lines: readonly unknown[]): void {
  expect(lines, text).toEqual([])
  expect([200, 400, 403, 404], text).toContain(status)
  const type = headers['content-type'] ?? ''
  if (type.includes('json')) {
    const document = JSON.parse(text) as { __type?: string }
    if (status !== 200) expect(document.__type).toMatch(/^[\w.#]+$/)
  } else if (type.includes('cbor')) {
    const document = decode(bytes, { tags: { 1: (content) => content() } }) as { __type?: string }
    if (status !== 200) expect(document.__type).toMatch(/^\w+$/)
  } else {
    expect(text).toMatch(/^<\?xml |^<AccessDeniedException>/)
    if (type === 'text/xml' && status !== 200) expect(text).toMatch(/<Code>[\w.]+<\/Code>/)
  }
}

describe(`Bad input, seed ${SEED}`, () => {
  let fuzzed: Fuzzed
  beforeAll(async () => {
    // Loaded with the first request that speaks it, which takes real time: a virtual clock would find it stuck.
    await import('../../../src/aws/protocol/cbor-protocol.ts')
    fuzzed = await Fuzzed.start()
    await fuzzed.expectService()
  })
  afterAll(async () => {
    await fuzzed.expectService()
    await fuzzed.end()
  })

  it('of the shapes of every operation, in every protocol, is answered as the service would', async () => {
    const operations = fuzzed.services.flatMap(({ model }) =>
      Object.keys(model.operations).map((operation) => ({ model, operation })),
    )
    for (const { model, operation } of operations) {
      await fc.assert(
        fc.asyncProperty(inputArbitrary(model, operation, KNOWN), async (input) => {
          for (const request of requestsOf(model, operation, input))
            expectAnswer(await fuzzed.askLater(request), fuzzed.lines)
        }),
        { seed: SEED, numRuns: runs(4) },
      )
      await fuzzed.expectService()
    }
  })

  it('of bytes that are cut, changed or drawn is answered with a 4xx or served', async () => {
    const input = { StreamName: 'fuzz', Records: [{ Data: new Uint8Array([1, 2, 3]), PartitionKey: 'k' }] }
    const models = fuzzed.services.map(({ model }) => model)
    const whole = [
      ...requestsOf(models[0] as (typeof models)[0], 'PutRecords', input),
      ...requestsOf(models[1] as (typeof models)[0], 'SendMessage', { QueueUrl, MessageBody: 'b' }),
    ]
    const change = fc.record({ at: fc.nat(200), byte: fc.nat(255), cut: fc.option(fc.nat(200)) })
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...whole),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        async (request, changes) => {
          let body = Uint8Array.from(request.body ?? [])
          for (const { at, byte, cut } of changes) {
            body[at % Math.max(1, body.length)] = byte
            if (cut !== null) body = body.subarray(0, cut)
          }
          expectAnswer(await fuzzed.ask({ ...request, body }), fuzzed.lines)
        },
      ),
      { seed: SEED, numRuns: runs(200) },
    )
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 100 }),
        fc.constantFrom(...whole),
        async (body, request) => {
          expectAnswer(await fuzzed.ask({ ...request, body }), fuzzed.lines)
        },
      ),
      { seed: SEED, numRuns: runs(200) },
    )
  })

  it('in headers and addresses is answered with a 4xx', async () => {
    const text = fc.string({ unit: 'binary', maxLength: 60 })
    const word = fc.oneof(
      text,
      fc.constantFrom(
        'Kinesis_20131202.PutRecord',
        'AmazonSQS.SendMessage',
        'application/x-amz-json-1.1',
        'POST',
        'GET',
      ),
      fc.constantFrom(
        'application/x-www-form-urlencoded',
        'AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request',
      ),
    )
    await fc.assert(
      fc.asyncProperty(
        word,
        word,
        word,
        word,
        word,
        async (method, target, type, operation, authorization) => {
          const headers = { 'content-type': type, 'x-amz-target': operation, authorization }
          expectAnswer(await fuzzed.ask({ method, target: `/${target}`, headers }), fuzzed.lines)
        },
      ),
      { seed: SEED, numRuns: runs(200) },
    )
  })

  it.each([
    ['JSON nested without end', () => jsonRequest('Kinesis_20131202.PutRecord', '['.repeat(4_000_000))],
    [
      'JSON of empty lists',
      () => jsonRequest('Kinesis_20131202.PutRecord', `[${'[],'.repeat(2_000_000)}[]]`),
    ],
    ['JSON of backslashes', () => jsonRequest('Kinesis_20131202.PutRecord', `"${'\\'.repeat(4_000_001)}`)],
    ['JSON of quotes', () => jsonRequest('Kinesis_20131202.PutRecord', '"'.repeat(4_000_000))],
    [
      'CBOR nested without end',
      () => cborRequest('Kinesis_20131202.PutRecord', new Uint8Array(4_000_000).fill(0x81)),
    ],
    [
      'CBOR of empty lists',
      () => cborRequest('Kinesis_20131202.PutRecord', new Uint8Array(4_000_000).fill(0x80).fill(0x9f, 0, 1)),
    ],
    [
      'CBOR of empty texts',
      () => cborRequest('Kinesis_20131202.PutRecord', new Uint8Array(4_000_000).fill(0x60).fill(0x9f, 0, 1)),
    ],
    ['a form of separators', () => formRequest('&'.repeat(4_000_000))],
    ['a form of dots', () => formRequest(`Action=SendMessage&${'a.'.repeat(2_000_000)}=1`)],
    ['a form of percent signs', () => formRequest('%'.repeat(4_000_000))],
    [
      'a base64 of 4 MB',
      () =>
        jsonRequest('Kinesis_20131202.PutRecord', {
          StreamName: 'sane',
          PartitionKey: 'k',
          Data: 'A'.repeat(4_000_000),
        }),
    ],
    [
      'a key of 4 MB',
      () =>
        jsonRequest('Kinesis_20131202.PutRecord', {
          StreamName: 'fuzz',
          PartitionKey: 'k'.repeat(4_000_000),
          Data: '',
        }),
    ],
    [
      'an ARN that its pattern could be long at',
      () =>
        jsonRequest('Kinesis_20131202.TagResource', {
          Tags: { a: '' },
          ResourceARN: `arn:aws${':kinesis:'.repeat(100)}${':123456789012:'.repeat(80)}`,
        }),
    ],
    [
      'CBOR of one deep map',
      () => cborRequest('Kinesis_20131202.PutRecord', encode({ StreamName: deep(500) })),
    ],
  ])('%s is refused soon', async (_, request) => {
    const answer = await fuzzed.ask(request())
    expectAnswer(answer, fuzzed.lines)
    expect(answer.status).not.toBe(200)
    expect(answer.bytes.length).toBeLessThan(20_000)
  })
})

function deep(levels: number): unknown {
  return levels === 0 ? 1 : { a: deep(levels - 1) }
}
