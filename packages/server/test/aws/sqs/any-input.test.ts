import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AwsError } from '../../../src/aws/aws-error.ts'
import type { AwsStructure } from '../../../src/aws/aws-service.ts'
import type { Shape } from '../../../src/aws/model/service-model.ts'
import { sqsModel } from '../../../src/aws/model/sqs-model.ts'
import { arnOf, SqsClient, urlOf } from './support/sqs-client.ts'

const RECEIPT = Buffer.from('x 1 1').toString('base64')
/** What a member may mean something with, and what nobody expects. */
const TEXTS = [
  ...[
    urlOf('a'),
    urlOf('a.fifo'),
    urlOf('none'),
    arnOf('a'),
    arnOf('none'),
    'a',
    'a.fifo',
    '',
    ' ',
    '0',
    '-1',
  ],
  ...[
    'true',
    'All',
    '.*',
    'String',
    'Number.x',
    'Binary',
    '{}',
    '[]',
    'null',
    '\u0000',
    '\uD800',
    '👋',
    RECEIPT,
  ],
  ...[
    '{"deadLetterTargetArn":1,"maxReceiveCount":{}}',
    '{"redrivePermission":"byQueue","sourceQueueArns":1}',
  ],
  ...['__proto__', 'constructor', 'AWSTraceHeader', 'x'.repeat(2_000)],
]
const WHOLES = [-1, 0, 1, 10, 11, 20, 500, 900, 43_200, 2 ** 31 - 1]
const MAX_DEPTH = 6
/** Members without which a call gets nowhere: mostly something that is there. */
const MEANT: Readonly<Record<string, fc.Arbitrary<string>>> = {
  QueueUrl: fc.constantFrom(urlOf('a'), urlOf('a.fifo')),
  QueueName: fc.constantFrom('a', 'b', 'a.fifo'),
  SourceArn: fc.constantFrom(arnOf('a'), arnOf('a.fifo')),
  MessageBody: fc.constantFrom('x', 'y'),
  Id: fc.constantFrom('1', '2', '3', '4', '5', '6', '7', '8'),
}

/** Values of a shape, of the right types: those of other types never come to an operation. */
function valuesOf(name: string, depth = 0): fc.Arbitrary<unknown> {
  const shape: Shape | undefined = sqsModel.shapes[name]
  if (shape === undefined || depth > MAX_DEPTH) return fc.constant(undefined)
  switch (shape.type) {
    case 'structure':
      return fc.record(
        Object.fromEntries(
          Object.entries(shape.members).map(([member, { shape: inner }]) => [
            member,
            fc.oneof(
              { weight: 3, arbitrary: MEANT[member] ?? valuesOf(inner, depth + 1) },
              { weight: 1, arbitrary: valuesOf(inner, depth + 1) },
            ),
          ]),
        ),
        { requiredKeys: Object.keys(MEANT).filter((member) => member in shape.members) },
      )
    case 'list':
      return fc.array(valuesOf(shape.member.shape, depth + 1), { maxLength: 12 })
    case 'map':
      return fc.dictionary(
        valuesOf(shape.key.shape, depth + 1) as fc.Arbitrary<string>,
        valuesOf(shape.value.shape, depth + 1),
        { maxKeys: 12, noNullPrototype: true },
      )
    case 'string':
      return fc.oneof(fc.constantFrom(...TEXTS, ...(shape.enum ?? [])), fc.string({ maxLength: 20 }))
    case 'integer':
    case 'long':
    case 'double':
      return fc.constantFrom(...WHOLES)
    case 'blob':
      return fc.uint8Array({ maxLength: 20 })
    case 'boolean':
      return fc.boolean()
    case 'timestamp':
      return fc.date()
  }
}

const CALLS = fc.oneof(
  ...Object.entries(sqsModel.operations).map(([operation, { input }]) =>
    fc.tuple(fc.constant(operation), input === undefined ? fc.constant({}) : valuesOf(input)),
  ),
)

describe('SQS: any input of the right types', () => {
  it('is answered as the service answers, and the queues go on', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(CALLS, { minLength: 1, maxLength: 20 }), async (calls) => {
        const sqs = new SqsClient()
        await sqs.createQueue('a')
        await sqs.createQueue('a.fifo')
        await sqs.createQueue('kept')
        await sqs.send('a', 'x')
        for (const [operation, input] of calls) {
          const error = await sqs.call(operation, input as AwsStructure).catch((reason: unknown) => reason)
          if (error instanceof Error) expect(error, String(error.stack)).toBeInstanceOf(AwsError)
        }
        await sqs.send('kept', 'y')
        expect(await sqs.receiveBodies('kept')).toEqual(['y'])
        sqs.restart()
        expect(await sqs.counts('kept')).toEqual([0, 1, 0])
      }),
      { numRuns: 100 },
    )
  })
})
