import { decode, encode } from 'cborg'
import { describe, expect, it } from 'vitest'
import { asker, cborRequest } from '../support/ask.ts'
import { plainServices } from '../support/plain-services.ts'

const KINESIS = 'Kinesis_20131202'
/** Tag 1, then milliseconds. */
const TIME = Uint8Array.from([0xc1, 0x1b, 0x00, 0x00, 0x01, 0x8b, 0xcf, 0xe5, 0x68, 0x7b])
const TIME_MS = 1_700_000_000_123

describe('CBOR', () => {
  it('takes and gives bytes as they are and times in milliseconds with their tag', async () => {
    const { services, inputs } = plainServices()
    const ask = asker(services)
    const Data = new Uint8Array([0, 255])
    const put = encode({ StreamName: 's', PartitionKey: 'k', Data, Colour: 'red', ExplicitHashKey: null })
    const { status, headers, bytes } = await ask(cborRequest(`${KINESIS}.PutRecord`, put))
    expect([status, headers['content-type']]).toEqual([200, 'application/x-amz-cbor-1.1'])
    expect(decode(bytes)).toEqual({ ShardId: 'shardId-000000000000', SequenceNumber: '1' })
    expect(inputs).toEqual([{ StreamName: 's', PartitionKey: 'k', Data }])
    const got = await ask(cborRequest(`${KINESIS}.GetRecords`, encode({ ShardIterator: 'i' })))
    expect(Buffer.from(got.bytes).includes(Buffer.from(TIME))).toBe(true)
    const document = decode(got.bytes, { tags: { 1: (content) => new Date(content() as number) } })
    expect(document.Records[0]).toMatchObject({ Data, ApproximateArrivalTimestamp: new Date(TIME_MS) })
  })

  it('takes what Jackson writes: maps of no stated length, wide integers, times with and without tag', async () => {
    const { services, inputs } = plainServices()
    const ask = asker(services)
    const text = (value: string) => [0x78, value.length, ...Buffer.from(value)]
    const start = [...text('StreamName'), ...text('s'), ...text('ShardId'), ...text('x')]
    const type = [...text('ShardIteratorType'), ...text('AT_TIMESTAMP'), ...text('Timestamp')]
    for (const time of [TIME, TIME.subarray(1), encode(TIME_MS + 0.5)]) {
      const body = Uint8Array.from([0xbf, ...start, ...type, ...time, 0xff])
      expect((await ask(cborRequest(`${KINESIS}.GetShardIterator`, body))).status).toBe(200)
    }
    expect(inputs.map(({ Timestamp }) => (Timestamp as Date).getTime())).toEqual([TIME_MS, TIME_MS, TIME_MS])
  })

  it.each([
    ['nothing', new Uint8Array(0)],
    ['a list', encode([])],
    ['null', encode(null)],
    ['bytes', encode(new Uint8Array(4))],
    ['more than one value', Uint8Array.from([...encode({}), ...encode({})])],
    ['a name twice', Uint8Array.from([0xa2, 0x61, 0x61, 1, 0x61, 0x61, 1])],
    ['a text for a number', encode({ StreamName: 's', ShardCount: '1' })],
    ['bytes for a text', encode({ StreamName: new Uint8Array(2) })],
    ['a number for a structure', encode({ StreamName: 's', StreamModeDetails: 1 })],
    ['a list for a map', encode({ StreamName: 's', Tags: [] })],
    ['an unknown tag', Uint8Array.from([0xa1, 0x61, 0x61, 0xc2, 0x41, 1])],
    ['a time that is none', Uint8Array.from([0xa1, 0x61, 0x61, 0xc1, 0x61, 0x61])],
    ['an array that says it is huge', Uint8Array.from([0x9b, 0, 0, 0, 1, 0, 0, 0, 0])],
    ['bytes that say they are huge', Uint8Array.from([0x5b, 0, 0, 0, 1, 0, 0, 0, 0])],
    ['a nesting deeper than the stack', new Uint8Array(40_000).fill(0x81)],
    ['tags deeper than the stack', new Uint8Array(40_000).fill(0xc1)],
    ['too many values', Uint8Array.from([0x9f, ...new Uint8Array(60_000).fill(0x80), 0xff])],
  ])('refuses %s', async (_, body) => {
    const { services } = plainServices()
    const { status, bytes } = await asker(services)(cborRequest(`${KINESIS}.CreateStream`, body))
    expect([status, decode(bytes)]).toEqual([400, { __type: 'SerializationException' }])
  })

  it('errors are CBOR too', async () => {
    const { services } = plainServices()
    const ask = asker(services)
    const gone = await ask(cborRequest(`${KINESIS}.DeleteStream`, encode({ StreamName: 'a' })))
    expect(decode(gone.bytes)).toEqual({
      __type: 'ResourceNotFoundException',
      message: 'Stream <a> & "b" not found.',
    })
    const zero = await ask(cborRequest(`${KINESIS}.CreateStream`, encode({ StreamName: 'a', ShardCount: 0 })))
    expect(decode(zero.bytes).message).toMatch(/^1 validation error detected: Value '0' at 'shardCount'/)
    const unknown = await ask(cborRequest('AmazonSQS.SendMessage', encode({})))
    expect(decode(unknown.bytes)).toEqual({ __type: 'UnknownOperationException' })
  })
})
