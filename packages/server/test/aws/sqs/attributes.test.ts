import { describe, expect, it } from 'vitest'
import { ATTRIBUTE_RULES, type AttributeRule } from '../../../src/aws/sqs/attributes/attribute-rules.ts'
import { arnOf, SqsClient, urlOf } from './support/sqs-client.ts'

describe('SQS: queues', () => {
  it('are created, found and listed by name, in pages', async () => {
    const sqs = new SqsClient()
    expect(await sqs.call('ListQueues')).toEqual({})
    for (const name of ['b', 'a2', 'a1', 'a3.fifo']) await sqs.createQueue(name)
    expect((await sqs.call('ListQueues')).QueueUrls).toEqual(['a1', 'a2', 'a3.fifo', 'b'].map(urlOf))
    const first = await sqs.call('ListQueues', { QueueNamePrefix: 'a', MaxResults: 2 })
    expect(first.QueueUrls).toEqual(['a1', 'a2'].map(urlOf))
    const second = await sqs.call('ListQueues', {
      QueueNamePrefix: 'a',
      MaxResults: 2,
      NextToken: first.NextToken as string,
    })
    expect(second).toEqual({ QueueUrls: [urlOf('a3.fifo')] })
    for (const input of [{ MaxResults: 0 }, { MaxResults: 1_001 }, { MaxResults: 1, NextToken: '!!' }]) {
      expect((await sqs.refused('ListQueues', input)).queryCode).toBe('InvalidParameterValue')
    }
    expect(await sqs.call('GetQueueUrl', { QueueName: 'b' })).toEqual({ QueueUrl: urlOf('b') })
    const foreign = { QueueName: 'b', QueueOwnerAWSAccountId: '123456789012' }
    expect((await sqs.refused('GetQueueUrl', foreign)).code).toBe('QueueDoesNotExist')
  })

  it('are found by any host name, and by nothing else than their address', async () => {
    const sqs = new SqsClient()
    await sqs.createQueue('a')
    await sqs.call('GetQueueAttributes', { QueueUrl: 'http://other:1/000000000000/a' })
    const refused = async (QueueUrl: string) => (await sqs.refused('GetQueueAttributes', { QueueUrl })).code
    expect(await refused(urlOf('nowhere'))).toBe('QueueDoesNotExist')
    expect(await refused('http://localhost:4566/123456789012/a')).toBe('QueueDoesNotExist')
    for (const url of ['a', 'http://localhost:4566/a', 'http://localhost:4566/000000000000/a/b']) {
      expect(await refused(url)).toBe('InvalidAddress')
    }
  })

  it('have names of 1 to 80 letters, digits, hyphens and underscores', async () => {
    const sqs = new SqsClient()
    for (const name of ['x', 'x'.repeat(80), 'A-z_09', `${'x'.repeat(75)}.fifo`]) await sqs.createQueue(name)
    for (const name of ['x'.repeat(81), 'a.b', 'ä', 'a b', '.fifo', `${'x'.repeat(76)}.fifo`]) {
      const attributes = name.endsWith('.fifo') ? { FifoQueue: 'true' } : {}
      const refused = await sqs.refused('CreateQueue', { QueueName: name, Attributes: attributes })
      expect(refused.queryCode, name).toBe('InvalidParameterValue')
    }
    const isFifo = await sqs.refused('CreateQueue', { QueueName: 'a', Attributes: { FifoQueue: 'true' } })
    expect(isFifo.message).toContain('must end with .fifo')
    expect((await sqs.refused('CreateQueue', { QueueName: 'a.fifo' })).queryCode).toBe(
      'InvalidParameterValue',
    )
    const isStandard = { QueueName: 'a', Attributes: { FifoQueue: 'false' } }
    expect((await sqs.refused('CreateQueue', isStandard)).message).toBe('Unknown Attribute FifoQueue.')
  })

  it('may be created again with the same attributes only, and a minute after they were deleted', async () => {
    const sqs = new SqsClient()
    const input = { QueueName: 'a', Attributes: { DelaySeconds: '5' } }
    const created = await sqs.call('CreateQueue', input)
    expect(await sqs.call('CreateQueue', input)).toEqual(created)
    expect(await sqs.call('CreateQueue', { QueueName: 'a' })).toEqual(created)
    expect(await sqs.refused('CreateQueue', { ...input, Attributes: { DelaySeconds: '6' } })).toMatchObject({
      code: 'QueueNameExists',
      queryCode: 'QueueAlreadyExists',
      message: 'A queue already exists with the same name and a different value for attribute DelaySeconds',
    })
    await sqs.send('a', 'old')
    await sqs.call('DeleteQueue', { QueueUrl: urlOf('a') })
    expect((await sqs.refused('DeleteQueue', { QueueUrl: urlOf('a') })).queryCode).toBe(
      'AWS.SimpleQueueService.NonExistentQueue',
    )
    await sqs.clock.advance(59_999)
    expect((await sqs.refused('CreateQueue', input)).queryCode).toBe(
      'AWS.SimpleQueueService.QueueDeletedRecently',
    )
    await sqs.clock.advance(1)
    await sqs.call('CreateQueue', { QueueName: 'a' })
    expect(await sqs.counts('a')).toEqual([0, 0, 0])
  })

  it('are so many at most', async () => {
    const sqs = new SqsClient({ limits: { queues: 1 } })
    await sqs.createQueue('a')
    expect((await sqs.refused('CreateQueue', { QueueName: 'b' })).code).toBe('OverLimit')
  })

  it('leave nothing in the table when they are deleted', async () => {
    const sqs = new SqsClient()
    await sqs.createQueue('a.fifo', { ContentBasedDeduplication: 'true' })
    const Entries = Array.from({ length: 10 }, (_, index) => ({
      Id: `${index}`,
      MessageBody: `${index}`,
      MessageGroupId: 'g',
    }))
    await sqs.call('SendMessageBatch', { QueueUrl: urlOf('a.fifo'), Entries })
    await sqs.call('DeleteQueue', { QueueUrl: urlOf('a.fifo') })
    await sqs.seconds(1)
    expect(sqs.world.store.allItems().map(({ partition }) => partition)).toEqual(['aws-sqs/deleted'])
  })
})

describe('SQS: attributes of queues', () => {
  it('show the defaults of the service', async () => {
    const sqs = new SqsClient()
    const created = String(Math.floor(sqs.clock.now() / 1_000))
    await sqs.createQueue('a')
    const standard = {
      QueueArn: arnOf('a'),
      ApproximateNumberOfMessages: '0',
      ApproximateNumberOfMessagesNotVisible: '0',
      ApproximateNumberOfMessagesDelayed: '0',
      CreatedTimestamp: created,
      LastModifiedTimestamp: created,
      DelaySeconds: '0',
      MaximumMessageSize: '1048576',
      MessageRetentionPeriod: '345600',
      ReceiveMessageWaitTimeSeconds: '0',
      VisibilityTimeout: '30',
      SqsManagedSseEnabled: 'true',
    }
    expect(await sqs.attributes('a')).toEqual(standard)
    await sqs.createQueue('a.fifo')
    expect(await sqs.attributes('a.fifo')).toEqual({
      ...standard,
      QueueArn: arnOf('a.fifo'),
      FifoQueue: 'true',
      ContentBasedDeduplication: 'false',
      DeduplicationScope: 'queue',
      FifoThroughputLimit: 'perQueue',
    })
    expect(await sqs.call('GetQueueAttributes', { QueueUrl: urlOf('a') })).toEqual({})
    const some = { QueueUrl: urlOf('a'), AttributeNames: ['QueueArn', 'RedrivePolicy'] }
    expect(await sqs.call('GetQueueAttributes', some)).toEqual({ Attributes: { QueueArn: arnOf('a') } })
    const unknown = { QueueUrl: urlOf('a'), AttributeNames: ['Colour'] }
    expect((await sqs.refused('GetQueueAttributes', unknown)).message).toBe('Unknown Attribute Colour.')
  })

  for (const [name, rule] of Object.entries<AttributeRule>(ATTRIBUTE_RULES)) {
    if (rule.kind !== 'whole') continue
    it(`${name} is from ${rule.min} to ${rule.max}`, async () => {
      const sqs = new SqsClient()
      await sqs.createQueue('a', { KmsMasterKeyId: 'alias/aws/sqs' })
      const set = async (value: string) =>
        await sqs.call('SetQueueAttributes', { QueueUrl: urlOf('a'), Attributes: { [name]: value } })
      for (const value of [rule.min, rule.max].map(String)) {
        await set(value)
        expect((await sqs.attributes('a'))[name]).toBe(value)
      }
      for (const value of [`${rule.min - 1}`, `${rule.max + 1}`, '1.5', 'many', ' 60', '1e2', '']) {
        const refused = await set(value).catch((error: unknown) => error)
        expect(refused, `${name}=${value}`).toMatchObject({
          code: 'InvalidAttributeValue',
          message: `Invalid value for the parameter ${name}.`,
        })
      }
      expect((await sqs.attributes('a'))[name]).toBe(String(rule.max))
    })
  }

  it('are refused where they have no place, and then nothing is changed', async () => {
    const sqs = new SqsClient()
    await sqs.createQueue('a')
    const set = async (Attributes: Record<string, string>, queue = 'a') =>
      await sqs.refused('SetQueueAttributes', { QueueUrl: urlOf(queue), Attributes })
    for (const name of [
      'ContentBasedDeduplication',
      'DeduplicationScope',
      'FifoThroughputLimit',
      'FifoQueue',
    ]) {
      expect(await set({ DelaySeconds: '5', [name]: 'true' })).toMatchObject({ code: 'InvalidAttributeName' })
    }
    for (const name of ['QueueArn', 'CreatedTimestamp', 'ApproximateNumberOfMessages', 'All']) {
      expect(await set({ DelaySeconds: '5', [name]: '1' })).toMatchObject({ code: 'InvalidAttributeName' })
    }
    expect((await set({ Policy: '{}' })).code).toBe('UnsupportedOperation')
    expect((await sqs.attributes('a')).DelaySeconds).toBe('0')
    await sqs.createQueue('a.fifo')
    expect((await set({ ContentBasedDeduplication: 'yes' }, 'a.fifo')).code).toBe('InvalidAttributeValue')
    expect((await set({ FifoQueue: 'false' }, 'a.fifo')).code).toBe('InvalidAttributeValue')
    const limit = await set({ FifoThroughputLimit: 'perMessageGroupId' }, 'a.fifo')
    expect(limit.message).toContain('only when DeduplicationScope is messageGroup')
  })

  it('of encryption are kept and shown, one kind at a time', async () => {
    const sqs = new SqsClient()
    await sqs.createQueue('a', { KmsMasterKeyId: 'alias/aws/sqs' })
    expect(await sqs.attributes('a')).toMatchObject({
      KmsMasterKeyId: 'alias/aws/sqs',
      KmsDataKeyReusePeriodSeconds: '300',
      SqsManagedSseEnabled: 'false',
    })
    const both = { QueueUrl: urlOf('a'), Attributes: { SqsManagedSseEnabled: 'true' } }
    expect((await sqs.refused('SetQueueAttributes', both)).code).toBe('InvalidAttributeValue')
    await sqs.call('SetQueueAttributes', { QueueUrl: urlOf('a'), Attributes: { KmsMasterKeyId: '' } })
    const shown = await sqs.attributes('a')
    expect(shown.SqsManagedSseEnabled).toBe('true')
    expect(shown).not.toHaveProperty('KmsMasterKeyId')
  })

  it('show a redrive policy as the service writes it, and when they were changed', async () => {
    const sqs = new SqsClient()
    await sqs.createQueue('dead')
    const RedrivePolicy = `{ "maxReceiveCount": "5", "deadLetterTargetArn": "${arnOf('dead')}", "more": 1 }`
    await sqs.createQueue('a', { RedrivePolicy })
    await sqs.createQueue('a', { RedrivePolicy })
    await sqs.seconds(100)
    await sqs.call('SetQueueAttributes', { QueueUrl: urlOf('a'), Attributes: { DelaySeconds: '1' } })
    const shown = await sqs.attributes('a')
    expect(shown.RedrivePolicy).toBe(`{"deadLetterTargetArn":"${arnOf('dead')}","maxReceiveCount":5}`)
    expect(Number(shown.LastModifiedTimestamp) - Number(shown.CreatedTimestamp)).toBe(100)
  })
})

describe('SQS: tags', () => {
  it('are added, replaced and taken away', async () => {
    const sqs = new SqsClient()
    await sqs.call('CreateQueue', { QueueName: 'a', tags: { team: 'x' } })
    const QueueUrl = urlOf('a')
    await sqs.call('TagQueue', { QueueUrl, Tags: { team: 'y', stage: '' } })
    expect(await sqs.call('ListQueueTags', { QueueUrl })).toEqual({ Tags: { team: 'y', stage: '' } })
    await sqs.call('UntagQueue', { QueueUrl, TagKeys: ['team', 'stage', 'other'] })
    expect(await sqs.call('ListQueueTags', { QueueUrl })).toEqual({})
  })

  it('are fifty at most, with keys of 128 and values of 256 characters', async () => {
    const sqs = new SqsClient()
    const QueueUrl = await sqs.createQueue('a')
    const many = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, 'v']))
    await sqs.call('TagQueue', { QueueUrl, Tags: many(50) })
    const wrong = [many(51), { other: 'v' }, { 'aws:x': 'v' }, { ['k'.repeat(129)]: 'v' }, { '': 'v' }]
    for (const Tags of [...wrong, { k0: 'v'.repeat(257) }, { k0: '<' }]) {
      const refused = await sqs.refused('TagQueue', { QueueUrl, Tags })
      expect(refused.queryCode, JSON.stringify(Tags).slice(0, 40)).toBe('InvalidParameterValue')
    }
    expect((await sqs.refused('TagQueue', { QueueUrl, Tags: {} })).queryCode).toBe('MissingParameter')
    expect((await sqs.refused('UntagQueue', { QueueUrl, TagKeys: [] })).queryCode).toBe('MissingParameter')
  })
})
