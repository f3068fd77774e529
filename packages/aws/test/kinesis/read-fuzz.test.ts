import { isEddyError, type ReadRequest, type StartPosition } from '@eddy/core'
import { Prng } from '@eddy/testing'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { KinesisLog } from '../../src/kinesis/index.ts'
import { clientOf, type ServiceAnswer, type ServiceRequest, startService } from '../support/kinesalite.ts'

const RECORDS = 60
const MAX_READS = 3_000
const SHARD = 'shardId-000000000000'

/**
 * A closed shard that does whatever Kinesis may: few records or none at a time, throttles, errors, iterators that expire.
 * An iterator is `place/number`: the number of answers tells which have expired.
 */
class Shard {
  readonly #random: Prng
  readonly #sizes: readonly number[]
  #answers = 0

  constructor(random: Prng) {
    this.#random = random
    this.#sizes = Array.from({ length: RECORDS }, () => 1 + random.int(400))
  }

  answer = ({ operation, input }: ServiceRequest): ServiceAnswer => {
    this.#answers += 1
    const chance = this.#random.next()
    if (operation === 'DescribeStreamSummary') return problem('AccessDeniedException')
    if (chance < 0.1) return problem('ProvisionedThroughputExceededException')
    if (chance < 0.13) return { status: 500, body: { __type: 'InternalFailure' } }
    if (operation === 'GetShardIterator') return ok({ ShardIterator: this.#iterator(placeOf(input)) })
    const [place = 0, made = 0] = String(input.ShardIterator).split('/').map(Number)
    const hasExpired = this.#answers - made > 3 + this.#random.int(20)
    if (hasExpired || chance < 0.16) return problem('ExpiredIteratorException')
    return this.#records(place, Number(input.Limit))
  }

  #records(place: number, limit: number): ServiceAnswer {
    const isGap = this.#random.next() < 0.2
    const count = isGap ? 0 : Math.min(limit, this.#random.int(30), RECORDS - place)
    const next = place + count
    const records = this.#sizes.slice(place, next).map((bytes, index) => ({
      SequenceNumber: String(1_000 + place + index),
      PartitionKey: 'k',
      Data: Buffer.alloc(bytes).toString('base64'),
      ApproximateArrivalTimestamp: 1_700_000_000 + this.#random.int(1_000),
    }))
    const isEnd = next === RECORDS && !isGap
    return ok({
      Records: records,
      MillisBehindLatest: next === RECORDS ? 0 : 5,
      ...(!isEnd && { NextShardIterator: this.#iterator(next) }),
    })
  }

  #iterator(place: number): string {
    return `${place}/${this.#answers}`
  }
}

const ok = (body: object): ServiceAnswer => ({ status: 200, body })
const problem = (type: string): ServiceAnswer => ({ status: 400, body: { __type: type, message: type } })

function placeOf({
  ShardIteratorType: type,
  StartingSequenceNumber: number,
}: ServiceRequest['input']): number {
  if (type === 'TRIM_HORIZON') return 0
  return Number(number) - 1_000 + (type === 'AFTER_SEQUENCE_NUMBER' ? 1 : 0)
}

let shard: Shard
let service: Awaited<ReturnType<typeof startService>>
beforeEach(async () => {
  service = await startService((request) => shard.answer(request))
})
afterEach(() => service.close())

it.each([1, 2, 3, 4, 5, 6])(
  'whatever a shard does, each record is read once and in order, by readers that share a log and over restarts (I2): seed %i',
  async (seed) => {
    const random = new Prng(seed)
    shard = new Shard(random)
    const client = clientOf(service.endpoint)
    let log = new KinesisLog({ client })
    const readers = [0, 1].map(() => ({
      next: { at: 'trim_horizon' } as StartPosition | undefined,
      seen: [] as string[],
    }))
    for (let reads = 0; readers.some(({ next }) => next !== undefined); reads += 1) {
      if (reads > MAX_READS) throw new Error('no end')
      if (random.next() < 0.05) log = new KinesisLog({ client })
      const reader = readers[random.int(2)]
      if (reader?.next === undefined) continue
      const request: ReadRequest = {
        stream: 's',
        shardId: SHARD,
        from: reader.next,
        maxRecords: 1 + random.int(20),
        maxBytes: random.int(2_000),
        waitMs: 0,
      }
      try {
        const result = await log.read(request)
        expect(result.expiredRecords).toBe(0)
        expect(result.records.length).toBeLessThanOrEqual(request.maxRecords)
        reader.seen.push(...result.records.map(({ sequenceNumber }) => sequenceNumber))
        reader.next = result.next
      } catch (error) {
        if (!isEddyError(error) || !error.retryable) throw error
      }
    }
    client.destroy()
    const all = Array.from({ length: RECORDS }, (_, place) => String(1_000 + place))
    expect(readers.map(({ seen }) => seen)).toEqual([all, all])
  },
)
