import type { Engine } from '@eddy/core'
import { drivenEngine, type SimEngine, SimWorld } from '@eddy/testing'
import { expect } from 'vitest'
import { AwsError } from '../../../../src/aws/aws-error.ts'
import type { AwsStructure } from '../../../../src/aws/aws-service.ts'
import { callOperation } from '../../../../src/aws/call-operation.ts'
import {
  type KinesisService,
  type KinesisServiceOptions,
  kinesisService,
} from '../../../../src/aws/kinesis/kinesis-service.ts'

export const REGION = 'us-east-1'
export const ACCOUNT = '000000000000'
export const FULL_RANGE_HALF: string = (2n ** 127n).toString()

/** Members of answers, for tests that know what they asked for. */
// biome-ignore lint/suspicious/noExplicitAny: an answer has the members that its test names
export type Answer = any

/** A Kinesis service on a simulated engine: time passes only when a test lets it. */
export class KinesisUnderTest {
  readonly world: SimWorld
  /** Calls drive the clock until they are answered. */
  readonly engine: Engine
  service!: KinesisService
  readonly #options: Partial<KinesisServiceOptions>
  #process: SimEngine

  private constructor(options: Partial<KinesisServiceOptions>, seed: number) {
    this.world = new SimWorld({ seed })
    this.#options = options
    this.#process = this.world.boot()
    this.engine = drivenEngine(this.#process, this.world.clock)
  }

  /** Streams change at once unless `stateMs` says otherwise. */
  static async start(options: Partial<KinesisServiceOptions> = {}, seed = 1): Promise<KinesisUnderTest> {
    const made = new KinesisUnderTest({ stateMs: 0, ...options }, seed)
    await made.#startService()
    return made
  }

  /** The process dies, and the next one starts. */
  async crash(): Promise<void> {
    this.world.crash()
    this.#process = this.world.boot()
    Object.assign(this.engine, drivenEngine(this.#process, this.world.clock))
    await this.#startService()
  }

  async #startService(): Promise<void> {
    const engine = this.#process
    this.service = await this.world.clock.settle(
      kinesisService({ engine, region: REGION, accountId: ACCOUNT, ...this.#options }),
    )
  }

  /** Calls an operation as a protocol does. */
  async call(operation: string, input: AwsStructure = {}): Promise<Answer> {
    const { signal } = new AbortController()
    const call = { signal, region: REGION, accountId: ACCOUNT, baseUrl: 'http://127.0.0.1:4566' }
    return await this.world.clock.settle(callOperation(this.service, operation, input, call))
  }

  /** PutRecords from its bytes, as the JSON protocol has it done. */
  async putRaw(input: Answer): Promise<Answer> {
    const { signal } = new AbortController()
    const call = { signal, region: REGION, accountId: ACCOUNT, baseUrl: 'http://127.0.0.1:4566' }
    const body = JSON.stringify(input, (_, value) =>
      value?.type === 'Buffer' ? Buffer.from(value.data).toString('base64') : value,
    )
    const answer = this.service.rawOperations?.get('PutRecords')?.(Buffer.from(body), call)
    if (answer === undefined) throw new Error('not as plain as the raw way takes it')
    return JSON.parse(Buffer.from((await this.world.clock.settle(answer)).body).toString('utf8'))
  }

  /** Calls until it is not the engine that fails; what the service refuses is the answer. */
  async untilAnswered(operation: string, input: AwsStructure): Promise<Answer> {
    for (let tries = 0; tries < 50; tries++) {
      const answer = await this.call(operation, input).catch((error: unknown) => error)
      const isFailure = answer instanceof Error && (!(answer instanceof AwsError) || answer.status >= 500)
      if (!isFailure) return answer
    }
    throw new Error(`${operation} was not answered in 50 tries`)
  }

  /** The refusal of a call. */
  async refused(operation: string, input: AwsStructure = {}): Promise<AwsError> {
    const error = await this.call(operation, input).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    expect(error, `${operation} was not refused`).toBeInstanceOf(AwsError)
    return error as AwsError
  }

  async advance(ms: number): Promise<void> {
    await this.world.clock.advance(ms)
  }

  async create(name = 'orders', shardCount = 1, more: AwsStructure = {}): Promise<void> {
    await this.call('CreateStream', { StreamName: name, ShardCount: shardCount, ...more })
  }

  async put(text: string, key = 'k', name = 'orders'): Promise<Answer> {
    return this.call('PutRecord', { StreamName: name, Data: Buffer.from(text), PartitionKey: key })
  }

  async iterator(type: string, more: AwsStructure = {}, name = 'orders'): Promise<string> {
    const input = { StreamName: name, ShardId: 'shardId-000000000000', ShardIteratorType: type, ...more }
    return (await this.call('GetShardIterator', input)).ShardIterator
  }

  /** Data of what an iterator gives. */
  async texts(iterator: string, more: AwsStructure = {}): Promise<string[]> {
    const { Records } = await this.call('GetRecords', { ShardIterator: iterator, ...more })
    return Records.map((record: { Data: Uint8Array }) => Buffer.from(record.Data).toString())
  }

  async status(name = 'orders'): Promise<string> {
    const { StreamDescriptionSummary } = await this.call('DescribeStreamSummary', { StreamName: name })
    return StreamDescriptionSummary.StreamStatus
  }

  async shards(name = 'orders', more: AwsStructure = {}): Promise<Answer[]> {
    return (await this.call('ListShards', { StreamName: name, ...more })).Shards
  }
}
