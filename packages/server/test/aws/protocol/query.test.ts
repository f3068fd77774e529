import { describe, expect, it } from 'vitest'
import { asker, formRequest, jsonRequest } from '../support/ask.ts'
import { plainServices } from '../support/plain-services.ts'

const QUEUE = 'http://localhost:4566/000000000000/q'
const ANSWER = (action: string, result: string) =>
  new RegExp(
    `^<\\?xml version="1.0"\\?><${action}Response xmlns="http://queue.amazonaws.com/doc/2012-11-05/">${result}<ResponseMetadata><RequestId>[0-9a-f-]{36}</RequestId></ResponseMetadata></${action}Response>$`,
  )

describe('The query protocol', () => {
  it('takes forms: structures, numbered maps, bytes; and answers in XML', async () => {
    const { services, inputs } = plainServices()
    const form = [
      'Action=SendMessage&Version=2012-11-05',
      `QueueUrl=${encodeURIComponent(QUEUE)}`,
      'MessageBody=a+b%2Bc%26%C3%A4',
      'DelaySeconds=5',
      'MessageAttribute.2.Name=bytes&MessageAttribute.2.Value.DataType=Binary&MessageAttribute.2.Value.BinaryValue=AP8%3D',
      'MessageAttribute.1.Name=n&MessageAttribute.1.Value.DataType=Number&MessageAttribute.1.Value.StringValue=1',
      'Colour=red&MessageAttribute.x=1',
    ].join('&')
    const { status, headers, text } = await asker(services)(formRequest(form))
    expect([status, headers['content-type']]).toEqual([200, 'text/xml'])
    const result =
      '<SendMessageResult><MD5OfMessageBody>md5</MD5OfMessageBody><MessageId>id-1</MessageId></SendMessageResult>'
    expect(text).toMatch(ANSWER('SendMessage', result))
    expect(inputs).toEqual([
      {
        QueueUrl: QUEUE,
        MessageBody: 'a b+c&ä',
        DelaySeconds: 5,
        MessageAttributes: {
          n: { DataType: 'Number', StringValue: '1' },
          bytes: { DataType: 'Binary', BinaryValue: new Uint8Array([0, 255]) },
        },
      },
    ])
  })

  it('takes lists in the order of their numbers, whatever these are', async () => {
    const { services, inputs } = plainServices()
    const entry = (number: number, id: string) =>
      `SendMessageBatchRequestEntry.${number}.Id=${id}&SendMessageBatchRequestEntry.${number}.MessageBody=b`
    const form = `Action=SendMessageBatch&QueueUrl=q&${entry(10, 'third')}&${entry(2, 'second')}&${entry(1, 'first')}`
    expect((await asker(services)(formRequest(form))).status).toBe(200)
    const [{ Entries = [] } = {}] = inputs
    expect((Entries as { Id: string }[]).map(({ Id }) => Id)).toEqual(['first', 'second', 'third'])
  })

  it('takes a single attribute without its number, and tags', async () => {
    const { services, inputs } = plainServices()
    const form = 'Action=TagQueue&QueueUrl=q&Tag.Key=a&Tag.Value=b'
    const { text } = await asker(services)(formRequest(form))
    expect(inputs).toEqual([{ QueueUrl: 'q', Tags: { a: 'b' } }])
    expect(text).toMatch(ANSWER('TagQueue', ''))
  })

  it('takes the queue from the address, and everything from the address with GET', async () => {
    const { services, inputs } = plainServices()
    const ask = asker(services)
    await ask(formRequest('Action=SendMessage&MessageBody=b', '/000000000000/q'))
    await ask({ method: 'GET', target: '/000000000000/q?Action=SendMessage&MessageBody=c' })
    expect(inputs.map(({ QueueUrl, MessageBody }) => [QueueUrl, MessageBody])).toEqual([
      [QUEUE, 'b'],
      [QUEUE, 'c'],
    ])
  })

  it('writes lists, maps, bytes and every character of a text', async () => {
    const { services } = plainServices()
    const { text } = await asker(services)(formRequest('Action=ReceiveMessage&QueueUrl=q'))
    const message = [
      '<Message><MessageId>id-1</MessageId>',
      '<Body>a &lt;b&gt; &amp; &quot;c&quot;&#xD;\n\ufffd</Body>',
      '<Attribute><Name>SenderId</Name><Value>me</Value></Attribute>',
      '<Attribute><Name>SentTimestamp</Name><Value>1</Value></Attribute>',
      '<MessageAttribute><Name>blob</Name><Value><BinaryValue>AQID</BinaryValue><DataType>Binary</DataType></Value></MessageAttribute>',
      '</Message>',
    ].join('')
    expect(text).toMatch(ANSWER('ReceiveMessage', `<ReceiveMessageResult>${message}</ReceiveMessageResult>`))
  })

  it.each([
    [
      'DelaySeconds=soon',
      'InvalidParameterValue',
      'Value soon for parameter DelaySeconds is invalid. Reason: Must be an integer.',
    ],
    ['DelaySeconds=99999999999', 'InvalidParameterValue', 'Must be an integer.'],
    [
      'MessageAttribute.1.Name=a&MessageAttribute.1.Value.BinaryValue=!',
      'InvalidParameterValue',
      'Must be base64.',
    ],
    ['', 'MissingParameter', 'The request must contain the parameter MessageBody.'],
    ['MessageSystemAttribute.1.Name=x&MessageBody=b', 'InvalidAttributeName', 'Unknown Attribute x.'],
  ])('refuses %s', async (more, code, message) => {
    const { services } = plainServices()
    const { status, text } = await asker(services)(formRequest(`Action=SendMessage&QueueUrl=q&${more}`))
    expect(status).toBe(400)
    expect(text).toContain(`<Error><Type>Sender</Type><Code>${code}</Code><Message>`)
    expect(text).toContain(message)
  })

  it('errors have the codes of the protocol', async () => {
    const { services } = plainServices()
    const ask = asker(services)
    const gone = await ask(formRequest('Action=DeleteQueue&QueueUrl=q'))
    expect(gone.text).toMatch(
      /^<\?xml version="1.0"\?><ErrorResponse xmlns="http:\/\/queue\.amazonaws\.com\/doc\/2012-11-05\/"><Error><Type>Sender<\/Type><Code>AWS\.SimpleQueueService\.NonExistentQueue<\/Code><Message>The specified queue does not exist\.<\/Message><Detail\/><\/Error><RequestId>[0-9a-f-]{36}<\/RequestId><\/ErrorResponse>$/,
    )
    for (const action of ['AddPermission', 'Nothing', 'PutRecord', '__proto__']) {
      const { status, text } = await ask(formRequest(`Action=${action}`))
      expect(status).toBe(400)
      expect(text).toContain('<Code>InvalidAction</Code>')
      expect(text).toContain(`<Message>The action ${action} is not valid for this endpoint.</Message>`)
    }
    expect((await ask(formRequest('Action=%3Cscript%3E'))).text).toContain('The action ? is not valid')
  })

  it('refuses forms of too many or too long names, and broken escapes', async () => {
    const { services } = plainServices()
    const ask = asker(services)
    const many = Array.from({ length: 3_000 }, (_, index) => `a${index}=1`).join('&')
    for (const form of [many, `${'a.'.repeat(200)}=1`, 'Action=%zz']) {
      const { status, text } = await ask(formRequest(`${form}&Action=SendMessage`))
      expect([status, text]).toEqual([404, expect.stringContaining('<Code>MalformedQueryString</Code>')])
    }
  })
})

describe('SQS in JSON', () => {
  it('names errors with their namespace, and with the code of the query protocol, asked or not', async () => {
    const { services } = plainServices()
    const { headers, text } = await asker(services)(
      jsonRequest('AmazonSQS.DeleteQueue', { QueueUrl: 'q' }, '1.0'),
    )
    expect(JSON.parse(text).__type).toBe('com.amazonaws.sqs#QueueDoesNotExist')
    expect(headers['x-amzn-query-error']).toBe('AWS.SimpleQueueService.NonExistentQueue;Sender')
  })
})
