import { defineApp, queue, subscribe } from '@eddy/core'
import { describe, expect, it } from 'vitest'
import type { SubscriptionOptions } from '../../src/index.ts'
import { resourcesOf, synthesized } from '../support/synthesized.ts'

const MAPPING = 'AWS::Lambda::EventSourceMapping'
const shop = synthesized()
const mappings = resourcesOf(shop, MAPPING)
const idOf = (of: ReadonlyMap<string, unknown>, name: string) =>
  [...of.keys()].find((id) => id.includes(`Mappings${name}`)) as string
const mapping = (name: string) => mappings.get(idOf(mappings, name))

describe('Mappings of streams', () => {
  it('bound everything: retries, age, and where what is given up goes', () => {
    expect(mapping('chargelive')?.Properties).toMatchObject({
      BatchSize: 100,
      StartingPosition: 'TRIM_HORIZON',
      ParallelizationFactor: 1,
      MaximumRetryAttempts: 100,
      // Nine tenths of 72 hours: the rescue still reads what was given up.
      MaximumRecordAgeInSeconds: 233_280,
      BisectBatchOnFunctionError: true,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      DestinationConfig: {
        OnFailure: { Destination: { 'Fn::GetAtt': [expect.stringMatching(/Bucket/), 'Arn'] } },
      },
    })
  })

  it("let a shard wait with blocks: 'shard', as often as Lambda counts", () => {
    expect(mapping('ledgerlive')?.Properties).toMatchObject({
      ParallelizationFactor: 1,
      MaximumRetryAttempts: 10_000,
    })
  })

  it('begin where the subscription does, and read by the consumer of enhanced fan-out', () => {
    expect(mapping('countlive')?.Properties).toMatchObject({
      StartingPosition: 'LATEST',
      EventSourceArn: { 'Fn::GetAtt': [expect.stringMatching(/consumer/), 'ConsumerARN'] },
    })
    shop.template.hasResourceProperties('AWS::Kinesis::StreamConsumer', { ConsumerName: 'shop-count' })
  })

  it('on one stream are made one after another, on different ones at once', () => {
    const first = idOf(mappings, 'chargelive')
    expect(mapping('ledgerlive')?.DependsOn).toContain(first)
    for (const name of ['chargelive', 'countlive', 'maillive', 'chargeretry'])
      expect(mapping(name)?.DependsOn?.filter((id) => id.includes('Mappings'))).toEqual([])
  })
})

describe('Mappings of queues', () => {
  it('answer for each message, and bound how many functions retry', () => {
    expect(mapping('maillive')?.Properties).toMatchObject({
      BatchSize: 10,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    })
    for (const name of ['charge', 'ledger', 'count', 'mail'])
      expect(mapping(`${name}retry`)?.Properties).toMatchObject({
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        ScalingConfig: { MaximumConcurrency: 10 },
      })
  })
})

describe('Options of a subscription', () => {
  it('are those of its mapping', () => {
    const tuned = synthesized({
      subscriptions: {
        charge: {
          batchSize: 500,
          batchingWindowSeconds: 5,
          parallelizationFactor: 10,
          maximumRetryAttempts: 7,
          maximumRecordAgeSeconds: 3_600,
          enabled: false,
          retryConcurrency: 3,
        },
        mail: { maximumConcurrency: 20 },
      },
    })
    const made = resourcesOf(tuned, MAPPING)
    expect(made.get(idOf(made, 'chargelive'))?.Properties).toMatchObject({
      BatchSize: 500,
      MaximumBatchingWindowInSeconds: 5,
      ParallelizationFactor: 10,
      MaximumRetryAttempts: 7,
      MaximumRecordAgeInSeconds: 3_600,
      Enabled: false,
    })
    expect(made.get(idOf(made, 'chargeretry'))?.Properties.ScalingConfig).toEqual({ MaximumConcurrency: 3 })
    expect(made.get(idOf(made, 'maillive'))?.Properties.ScalingConfig).toEqual({ MaximumConcurrency: 20 })
  })
})

describe('Mappings of queues without groups', () => {
  const jobs = queue('jobs')
  const work = subscribe('work', jobs, { failure: { blocks: 'nothing' }, handle: () => undefined })
  const made = (options: SubscriptionOptions) => {
    const one = synthesized({ subscriptions: { work: options } }, defineApp({ subscriptions: [work] }))
    const queues = [...resourcesOf(one, 'AWS::SQS::Queue').values()].map(({ Properties }) => Properties)
    const of = resourcesOf(one, MAPPING)
    return {
      mapping: of.get(idOf(of, 'worklive'))?.Properties,
      visibilitySeconds: queues.find(({ QueueName }) => QueueName === 'shop-queue-jobs')?.VisibilityTimeout,
    }
  }

  it('wait for more than ten messages: Lambda refuses a larger batch without a window', () => {
    expect(made({ batchSize: 10 }).mapping).not.toHaveProperty('MaximumBatchingWindowInSeconds')
    expect(made({ batchSize: 100 }).mapping).toMatchObject({
      BatchSize: 100,
      MaximumBatchingWindowInSeconds: 1,
    })
    expect(() => made({ batchSize: 100, batchingWindowSeconds: 0 })).toThrow(
      'subscriptions["work"].batchingWindowSeconds: expected 1 to 300',
    )
  })

  it('gather messages that are hidden for the window, too', () => {
    const { mapping: spec, visibilitySeconds } = made({ batchingWindowSeconds: 300, timeoutSeconds: 46 })
    expect(spec).toMatchObject({ MaximumBatchingWindowInSeconds: 300 })
    expect(visibilitySeconds).toBe(6 * 46 + 300)
  })
})

describe('Patient mappings', () => {
  it('are made by a custom resource, still one after another, with every option as it is', () => {
    const patient = synthesized({ patientMappings: true })
    patient.template.resourceCountIs(MAPPING, 0)
    const made = resourcesOf(patient, 'Custom::EventSourceMapping')
    expect(made.size).toBe(mappings.size)
    const ledger = made.get(idOf(made, 'ledgerlive'))
    expect(ledger?.DependsOn).toContain(idOf(made, 'chargelive'))
    expect(JSON.stringify(ledger?.Properties.Mapping)).toContain('\\"BisectBatchOnFunctionError\\":true')
  })
})
