import { describe, expect, it } from 'vitest'
import { AwsError } from '../../../src/aws/aws-error.ts'
import type { RawOperation } from '../../../src/aws/aws-service.ts'
import { kinesisModel } from '../../../src/aws/model/kinesis-model.ts'
import { MAX_JSON_PARTS } from '../../../src/aws/protocol/bounded-json.ts'
import { memoryLogger } from '../../support/memory-logger.ts'
import { asker, jsonRequest } from '../support/ask.ts'
import { plainServices } from '../support/plain-services.ts'

const KINESIS = 'Kinesis_20131202'

describe('JSON', () => {
  it('takes bytes in base64 and leaves out what the model does not know', async () => {
    const { services, inputs } = plainServices()
    const put = { StreamName: 's', PartitionKey: 'k', Data: 'AP8=', Colour: 'red', ExplicitHashKey: null }
    const { status, text, headers } = await asker(services)(jsonRequest(`${KINESIS}.PutRecord`, put))
    expect([status, text]).toEqual([200, '{"ShardId":"shardId-000000000000","SequenceNumber":"1"}'])
    expect(headers['content-type']).toBe('application/x-amz-json-1.1')
    expect(headers['x-amzn-requestid']).toMatch(/^[0-9a-f-]{36}$/)
    expect(inputs).toEqual([{ StreamName: 's', PartitionKey: 'k', Data: new Uint8Array([0, 255]) }])
  })

  it('times are seconds with their fraction, both ways', async () => {
    const { services, inputs } = plainServices()
    const ask = asker(services)
    const at = {
      StreamName: 's',
      ShardId: 'x',
      ShardIteratorType: 'AT_TIMESTAMP',
      Timestamp: 1_700_000_000.123,
    }
    await ask(jsonRequest(`${KINESIS}.GetShardIterator`, at))
    expect(inputs[0]?.Timestamp).toEqual(new Date(1_700_000_000_123))
    await ask(jsonRequest(`${KINESIS}.PutRecord`, { StreamName: 's', PartitionKey: 'k', Data: '' }))
    const { text } = await ask(jsonRequest(`${KINESIS}.GetRecords`, { ShardIterator: 'i' }))
    expect(JSON.parse(text).Records[0]).toMatchObject({
      ApproximateArrivalTimestamp: 1_700_000_000.123,
      Data: '',
    })
  })

  it.each([
    ['ShardCount', '"1"', 'class java.lang.String can not be converted to an Integer'],
    ['ShardCount', 'true', 'class java.lang.Boolean can not be converted to an Integer'],
    ['ShardCount', '[1]', 'Start of list found where not expected'],
    ['ShardCount', '{}', 'Start of structure or map found where not expected.'],
    [
      'StreamName',
      '1',
      'class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to an String',
    ],
    ['StreamModeDetails', '"x"', 'Expected null'],
    ['StreamModeDetails', '[]', 'Start of list found where not expected'],
    ['Tags', '1', 'Expected map or null'],
    [
      'Tags',
      '{"a":1}',
      'class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to an String',
    ],
  ])('refuses %s of %s: %s', async (name, value, message) => {
    const { services } = plainServices()
    const { status, text } = await asker(services)(
      jsonRequest(`${KINESIS}.CreateStream`, `{"${name}":${value}}`),
    )
    expect([status, JSON.parse(text)]).toEqual([400, { __type: 'SerializationException', Message: message }])
  })

  it.each([
    [
      'abc',
      "'abc' can not be converted to a Blob: Base64 encoded length is expected a multiple of 4 bytes but found: 3",
    ],
    ['ab!=', "'ab!=' can not be converted to a Blob: Invalid Base64 character: '!'"],
    ['ab-_', "'ab-_' can not be converted to a Blob: Invalid Base64 character: '-'"],
    ['a=bc', "'a=bc' can not be converted to a Blob: Invalid Base64 character: '='"],
    ['====', "'====' can not be converted to a Blob: Invalid Base64 character: '='"],
    ['aQ==', undefined],
    ['', undefined],
    ['aR==', "'aR==' can not be converted to a Blob: Invalid last non-pad Base64 character dectected"],
  ])('base64 %s', async (Data, message) => {
    const { services } = plainServices()
    const put = { StreamName: 's', PartitionKey: 'k', Data }
    const { status, text } = await asker(services)(jsonRequest(`${KINESIS}.PutRecord`, put))
    if (message === undefined) expect(status).toBe(200)
    else
      expect([status, JSON.parse(text)]).toEqual([
        400,
        { __type: 'SerializationException', Message: message },
      ])
  })

  it.each([
    ['nothing', ''],
    ['no JSON', '{'],
    ['a list', '[]'],
    ['null', 'null'],
    ['a text', '"x"'],
  ])('refuses %s', async (_, body) => {
    const { services } = plainServices()
    const { status, text } = await asker(services)(jsonRequest(`${KINESIS}.CreateStream`, body))
    expect([status, JSON.parse(text).__type]).toEqual([400, 'SerializationException'])
  })

  it('refuses bytes that are no UTF-8', async () => {
    const { services } = plainServices()
    const request = {
      ...jsonRequest(`${KINESIS}.CreateStream`, ''),
      body: new Uint8Array([0x22, 0xff, 0x22]),
    }
    expect((await asker(services)(request)).status).toBe(400)
  })

  it('refuses a document of too many parts, however it is nested, and counts none within texts', async () => {
    const { services } = plainServices()
    const ask = asker(services)
    for (const body of [
      '['.repeat(200_000),
      `[${'[],'.repeat(100_000)}[]]`,
      `{"a":[${'0,'.repeat(100_000)}0]}`,
    ])
      expect((await ask(jsonRequest(`${KINESIS}.CreateStream`, body))).text).toBe(
        '{"__type":"SerializationException"}',
      )
    const many = JSON.stringify('[{,"\\'.repeat(MAX_JSON_PARTS))
    const create = `{"StreamName":"s","ShardCount":1,"Colour":${many}}`
    expect((await ask(jsonRequest(`${KINESIS}.CreateStream`, create))).status).toBe(200)
  })

  it('an error has its type, its message and its status', async () => {
    const { services } = plainServices()
    const { status, text } = await asker(services)(
      jsonRequest(`${KINESIS}.DeleteStream`, { StreamName: 'a' }),
    )
    expect([status, JSON.parse(text)]).toEqual([
      400,
      { __type: 'ResourceNotFoundException', message: 'Stream <a> & "b" not found.' },
    ])
  })

  it('an operation that is not served, not known, or of a service that is not here, answers as an unknown one', async () => {
    const { services } = plainServices()
    for (const target of [
      `${KINESIS}.SubscribeToShard`,
      `${KINESIS}.MergeShards`,
      `${KINESIS}.toString`,
      `${KINESIS}.__proto__`,
      `${KINESIS}.`,
      KINESIS,
      'DynamoDB_20120810.ListTables',
      'x',
      '',
    ]) {
      const { status, text } = await asker(services)(jsonRequest(target, {}))
      expect([target, status, text]).toEqual([target, 400, '{"__type":"UnknownOperationException"}'])
    }
    const sqs = await asker(services)(jsonRequest('AmazonSQS.AddPermission', {}, '1.0'))
    expect(JSON.parse(sqs.text)).toEqual({ __type: 'com.amazon.coral.service#UnknownOperationException' })
    expect(sqs.headers['content-type']).toBe('application/x-amz-json-1.0')
  })

  it('a bug is an internal failure that tells nothing, and is logged', async () => {
    const { services } = plainServices()
    const { logger, lines } = memoryLogger()
    const { status, text } = await asker(services, { logger })(jsonRequest(`${KINESIS}.ListStreams`, {}))
    expect([status, JSON.parse(text)]).toEqual([
      500,
      {
        __type: 'InternalFailure',
        message: 'The request processing has failed because of an unknown error.',
      },
    ])
    expect(lines.map(({ level, fields }) => [level, fields.operation])).toEqual([
      ['error', 'kinesis.ListStreams'],
    ])
  })

  it('what is no request to a service is told so', async () => {
    const { services } = plainServices()
    const ask = asker(services)
    for (const request of [
      {},
      { method: 'GET' },
      { method: 'PUT', ...jsonRequest(`${KINESIS}.ListStreams`, {}) },
      { headers: { 'x-amz-target': `${KINESIS}.ListStreams` } },
      { headers: { 'x-amz-target': `${KINESIS}.ListStreams`, 'content-type': 'text/plain' } },
      { headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    ]) {
      const { status, text } = await ask(request)
      expect([status, text]).toEqual([
        403,
        expect.stringContaining('Unable to determine service/operation name'),
      ])
    }
  })
})

describe('A read-only endpoint', () => {
  it('refuses what changes something, and serves the rest', async () => {
    const { services } = plainServices()
    const ask = asker(services, { readOnly: true })
    const put = await ask(
      jsonRequest(`${KINESIS}.PutRecord`, { StreamName: 's', PartitionKey: 'k', Data: '' }),
    )
    expect([put.status, JSON.parse(put.text).__type]).toEqual([400, 'AccessDeniedException'])
    expect((await ask(jsonRequest(`${KINESIS}.GetRecords`, { ShardIterator: 'i' }))).status).toBe(200)
    expect((await ask(jsonRequest(`${KINESIS}.StartStreamEncryption`, {}))).text).toContain(
      'UnknownOperation',
    )
  })
})

describe('A raw operation', () => {
  const rawService = (raw: RawOperation) => {
    const operations = new Map([['PutRecords', async () => ({ Records: [], FailedRecordCount: 7 })]])
    return [{ model: kinesisModel, operations, rawOperations: new Map([['PutRecords', raw]]) }]
  }
  const request = jsonRequest(`${KINESIS}.PutRecords`, {
    StreamName: 's',
    Records: [{ Data: '', PartitionKey: 'k' }],
  })

  it('answers in bytes, leaves what is unusual to the ordinary way, and fails as that does', async () => {
    const answers = asker(rawService(async (body) => ({ body })))
    expect((await answers(request)).text).toBe(new TextDecoder().decode(request.body))
    expect((await asker(rawService(() => undefined))(request)).text).toBe(
      '{"Records":[],"FailedRecordCount":7}',
    )
    const fails = asker(rawService(() => Promise.reject(new AwsError('ResourceInUseException', 'busy'))))
    expect((await fails(request)).text).toBe('{"__type":"ResourceInUseException","message":"busy"}')
  })
})
