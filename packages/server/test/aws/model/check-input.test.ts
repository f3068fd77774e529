import * as kinesisSdk from '@aws-sdk/client-kinesis'
import * as sqsSdk from '@aws-sdk/client-sqs'
import { describe, expect, it } from 'vitest'
import { AwsError } from '../../../src/aws/aws-error.ts'
import { checkInput } from '../../../src/aws/model/check-input.ts'
import { kinesisModel } from '../../../src/aws/model/kinesis-model.ts'
import type { ServiceModel } from '../../../src/aws/model/service-model.ts'
import { sqsModel } from '../../../src/aws/model/sqs-model.ts'
import { decodeJson } from '../../../src/aws/protocol/decode-json.ts'
import { type ConstraintCase, constraintCases, fullSample, type Json } from '../support/model-cases.ts'

function refusalOf(model: ServiceModel, operation: string, json: Json): AwsError | undefined {
  try {
    checkInput(model, operation, decodeJson(model, operation, json))
  } catch (error) {
    if (error instanceof AwsError) return error
    throw error
  }
  return undefined
}

describe('Inputs are checked against the model', () => {
  for (const model of [kinesisModel, sqsModel]) {
    describe(model.name, () => {
      const cases = constraintCases(model)
      const byOperation = groupByOperation(cases)

      it('has a case for each constraint', () => {
        expect(cases.length).toBeGreaterThan(model.name === 'kinesis' ? 200 : 50)
        expect([...byOperation.keys()].length).toBeGreaterThan(15)
      })

      for (const operation of Object.keys(model.operations)) {
        it(`${operation}: accepts what keeps each constraint of each field, and refuses what breaks it`, () => {
          const input = model.operations[operation]?.input as string
          expect(refusalOf(model, operation, fullSample(model, input)), 'the sample').toBeUndefined()
          for (const { field, constraint, accepted, refused } of byOperation.get(operation) ?? []) {
            const name = `${field}: ${constraint}`
            if (accepted !== undefined)
              expect(refusalOf(model, operation, accepted)?.message, `${name}, kept`).toBeUndefined()
            if (refused !== undefined)
              expect(refusalOf(model, operation, refused)?.code, `${name}, broken`).toMatch(
                model.name === 'kinesis'
                  ? /^ValidationException$/
                  : /^(MissingRequiredParameterException|InvalidAttributeName)$/,
              )
          }
        })
      }
    })
  }

  it('knows every member that the SDKs have for the operations that are served', () => {
    for (const [model, sdk] of [
      [kinesisModel, kinesisSdk],
      [sqsModel, sqsSdk],
    ] as const) {
      const structures = new Map(
        Object.values(sdk)
          .filter((one): one is unknown[] => Array.isArray(one) && one[0] === 3)
          .map((one) => [one[2] as string, one[4] as readonly string[]]),
      )
      for (const [name, shape] of Object.entries(model.shapes)) {
        if (shape.type !== 'structure') continue
        expect([...(structures.get(name) ?? [])].sort(), `${model.name} ${name}`).toEqual(
          Object.keys(shape.members).sort(),
        )
      }
    }
  })
})

describe('A refusal', () => {
  const refusal = (operation: string, json: Json, model = kinesisModel) => refusalOf(model, operation, json)

  it('names what was sent, where, and the constraint', () => {
    expect(refusal('CreateStream', { StreamName: 'a', ShardCount: 0 })).toMatchObject({
      code: 'ValidationException',
      status: 400,
      message:
        "1 validation error detected: Value '0' at 'shardCount' failed to satisfy constraint: Member must have value greater than or equal to 1",
    })
  })

  it('counts several, ten at most', () => {
    expect(refusal('CreateStream', { StreamName: '', ShardCount: 0 })?.message).toBe(
      "3 validation errors detected: Value '' at 'streamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+; Value '' at 'streamName' failed to satisfy constraint: Member must have length greater than or equal to 1; Value '0' at 'shardCount' failed to satisfy constraint: Member must have value greater than or equal to 1",
    )
    const Records = Array.from({ length: 20 }, () => ({ PartitionKey: '' }))
    expect(refusal('PutRecords', { StreamName: 'a', Records })?.message).toMatch(
      /^10 validation errors detected: /,
    )
  })

  it('says null of what is not there, and where in a list', () => {
    expect(refusal('PutRecords', { StreamName: 'a', Records: [{ PartitionKey: 'k' }] })?.message).toBe(
      "1 validation error detected: Value null at 'records.1.member.data' failed to satisfy constraint: Member must not be null",
    )
  })

  it('names a list or a map as a whole when a plain member breaks a constraint', () => {
    expect(refusal('RemoveTagsFromStream', { StreamName: 'a', TagKeys: ['ok', ''] })?.message).toBe(
      "1 validation error detected: Value '[ok, ]' at 'tagKeys' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal to 1]",
    )
    expect(refusal('AddTagsToStream', { StreamName: 'a', Tags: { k: 'v'.repeat(257) } })?.message).toMatch(
      /at 'tags' failed to satisfy constraint: Map value must satisfy constraint: \[Member must have length less than or equal to 256, /,
    )
  })

  it('repeats no more than the beginning of a long value', () => {
    const message = refusal('DescribeStream', { StreamName: 'x'.repeat(1_000_000) })?.message ?? ''
    expect(message.length).toBeLessThan(2_000)
    expect(message).toContain('Member must have length less than or equal to 128')
  })

  it('takes a pattern for the whole of the text', () => {
    const at = (StartingSequenceNumber: string) =>
      refusal('GetShardIterator', {
        StreamName: 'a',
        ShardId: 's',
        ShardIteratorType: 'AT_SEQUENCE_NUMBER',
        StartingSequenceNumber,
      })?.code
    expect(at('0')).toBeUndefined()
    expect(at('9'.repeat(129))).toBeUndefined()
    expect(at('01')).toBe('ValidationException')
    expect(at('9'.repeat(130))).toBe('ValidationException')
  })

  it('of SQS is in the words of SQS', () => {
    expect(refusal('SendMessageBatch', { QueueUrl: 'u', Entries: [{ Id: 'a' }] }, sqsModel)).toMatchObject({
      code: 'MissingRequiredParameterException',
      queryCode: 'MissingParameter',
      message: 'The request must contain the parameter SendMessageBatchRequestEntry.1.MessageBody.',
    })
    expect(
      refusal('CreateQueue', { QueueName: 'q', Attributes: { DelaySeconds: '1', Colour: 'red' } }, sqsModel),
    ).toMatchObject({
      code: 'InvalidAttributeName',
      message: 'Unknown Attribute Colour.',
    })
  })
})

function groupByOperation(cases: readonly ConstraintCase[]): Map<string, ConstraintCase[]> {
  const groups = new Map<string, ConstraintCase[]>()
  for (const one of cases) groups.set(one.operation, [...(groups.get(one.operation) ?? []), one])
  return groups
}
