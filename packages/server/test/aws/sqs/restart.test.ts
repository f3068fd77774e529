import { describe, expect, it } from 'vitest'
import { SqsClient, urlOf } from './support/sqs-client.ts'

describe('SQS: after a restart', () => {
  it('visibility, delays, receive counts and receipts are what they were', async () => {
    const sqs = new SqsClient()
    await sqs.createQueue('a', { VisibilityTimeout: '30', DelaySeconds: '0' })
    await sqs.call('TagQueue', { QueueUrl: urlOf('a'), Tags: { team: 'x' } })
    for (const body of ['flying', 'extended', 'deleted', 'back']) await sqs.send('a', body)
    const [flying, extended, deleted, back] = await sqs.receive('a')
    await sqs.send('a', 'delayed', { DelaySeconds: 20 })
    await sqs.send('a', 'ready', {
      MessageAttributes: { raw: { DataType: 'Binary', BinaryValue: Uint8Array.of(0, 255) } },
    })
    await sqs.hide('a', extended, 100)
    await sqs.hide('a', back, 0)
    await sqs.delete('a', deleted)
    const before = await sqs.attributes('a')
    sqs.restart()
    expect(await sqs.attributes('a')).toEqual(before)
    expect(await sqs.counts('a')).toEqual([2, 2, 1])
    expect(await sqs.call('ListQueueTags', { QueueUrl: urlOf('a') })).toEqual({ Tags: { team: 'x' } })
    const ready = await sqs.receive('a', { VisibilityTimeout: 600 })
    expect(ready.map(({ Body, Attributes }) => [Body, Attributes?.ApproximateReceiveCount])).toEqual([
      ['back', '2'],
      ['ready', '1'],
    ])
    expect(ready[1]?.MessageAttributes?.raw?.BinaryValue).toEqual(Uint8Array.of(0, 255))
    await sqs.seconds(20)
    expect(await sqs.receiveBodies('a', { VisibilityTimeout: 600 })).toEqual(['delayed'])
    await sqs.seconds(10)
    expect(await sqs.receiveBodies('a', { VisibilityTimeout: 600 })).toEqual(['flying'])
    await sqs.delete('a', flying)
    await sqs.seconds(69)
    expect(await sqs.receiveBodies('a')).toEqual([])
    await sqs.delete('a', extended)
    await sqs.seconds(1)
    expect(await sqs.receiveBodies('a')).toEqual([])
  })

  it('a FIFO queue has its order, its blocked groups, its numbers and its five minutes', async () => {
    const sqs = new SqsClient()
    const queue = 'a.fifo'
    await sqs.createQueue(queue, { ContentBasedDeduplication: 'true' })
    for (const body of ['a1', 'b1', 'a2']) await sqs.send(queue, body, { MessageGroupId: body.slice(0, 1) })
    const last = await sqs.send(queue, 'c1', { MessageGroupId: 'c' })
    const [a1] = await sqs.receive(queue, { MaxNumberOfMessages: 1 })
    sqs.restart()
    expect(await sqs.send(queue, 'c1', { MessageGroupId: 'c' })).toEqual(last)
    const [b1, c1, ...none] = await sqs.receive(queue)
    expect([b1?.Body, c1?.Body, none]).toEqual(['b1', 'c1', []])
    await sqs.delete(queue, c1)
    await sqs.delete(queue, a1)
    sqs.restart()
    expect(await sqs.receiveBodies(queue)).toEqual(['a2'])
    expect(await sqs.send(queue, 'c1', { MessageGroupId: 'c' })).toEqual(last)
    const next = await sqs.send(queue, 'new', { MessageGroupId: 'c' })
    expect(BigInt(next.SequenceNumber as string)).toBeGreaterThan(BigInt(last.SequenceNumber as string))
    await sqs.seconds(300)
    const later = await sqs.send(queue, 'c1', { MessageGroupId: 'c' })
    expect(later.MessageId).not.toBe(last.MessageId)
  })

  it('a FIFO queue delays by what was set last', async () => {
    const sqs = new SqsClient()
    await sqs.createQueue('a.fifo', { ContentBasedDeduplication: 'true', DelaySeconds: '100' })
    await sqs.send('a.fifo', 'x', { MessageGroupId: 'g' })
    await sqs.call('SetQueueAttributes', { QueueUrl: urlOf('a.fifo'), Attributes: { DelaySeconds: '10' } })
    sqs.restart()
    expect(await sqs.counts('a.fifo')).toEqual([0, 0, 1])
    await sqs.seconds(10)
    expect(await sqs.receiveBodies('a.fifo')).toEqual(['x'])
  })

  it('what was purged or deleted stays away, and is swept', async () => {
    for (let seed = 0; seed < 60; seed++) {
      const calls = 1 + (seed % 20)
      const sqs = new SqsClient({ seed })
      await sqs.createQueue('a')
      await sqs.createQueue('b')
      for (const queue of ['a', 'b']) for (let n = 0; n < 5; n++) await sqs.send(queue, `${n}`)
      await sqs.call('PurgeQueue', { QueueUrl: urlOf('a') })
      sqs.world.crashAtCall(sqs.world.callCount + calls)
      const deleted = sqs.request('DeleteQueue', { QueueUrl: urlOf('b') }).then(() => true)
      const answered = await Promise.race([deleted, sqs.seconds(1).then(() => false)])
      sqs.world.crashAtCall(Number.POSITIVE_INFINITY)
      sqs.restart()
      expect(await sqs.counts('a')).toEqual([0, 0, 0])
      const again = { QueueUrl: urlOf('a') }
      expect((await sqs.refused('PurgeQueue', again)).code).toBe('PurgeQueueInProgress')
      const listed = (await sqs.call('ListQueues')).QueueUrls
      if (answered) expect(listed).toEqual([urlOf('a')])
      if (!(listed as string[]).includes(urlOf('b'))) {
        const gone = await sqs.refused('CreateQueue', { QueueName: 'b' })
        expect(gone.code).toBe('QueueDeletedRecently')
      } else {
        await sqs.seconds(10)
        expect((await sqs.receive('b')).length, `seed ${seed}`).toBe(5)
        await sqs.call('DeleteQueue', { QueueUrl: urlOf('b') })
      }
      await sqs.seconds(10)
      expect(
        sqs.world.store.allItems().filter(({ partition }) => /messages|contents|garbage/.test(partition)),
      ).toEqual([])
    }
  })

  it('a queue that is made anew under a name knows nothing of the former one', async () => {
    const sqs = new SqsClient()
    await sqs.createQueue('a')
    await sqs.send('a', 'x')
    const [received] = await sqs.receive('a')
    await sqs.call('DeleteQueue', { QueueUrl: urlOf('a') })
    await sqs.seconds(60)
    sqs.restart()
    await sqs.createQueue('a')
    const input = { QueueUrl: urlOf('a'), ReceiptHandle: received?.ReceiptHandle ?? '' }
    expect((await sqs.refused('DeleteMessage', input)).code).toBe('ReceiptHandleIsInvalid')
    expect(await sqs.counts('a')).toEqual([0, 0, 0])
  })

  it('a directory that is only read is shown as it is, and nothing is written to it', async () => {
    const sqs = new SqsClient()
    await sqs.createQueue('a', { MessageRetentionPeriod: '60' })
    await sqs.send('a', 'old')
    await sqs.seconds(30)
    await sqs.send('a', 'young')
    const before = JSON.stringify(sqs.world.store.allItems())
    const reading = sqs.readingOnly()
    await sqs.seconds(40)
    expect(await reading.counts('a')).toEqual([1, 0, 0])
    expect(await reading.counts('a')).toEqual([1, 0, 0])
    expect(JSON.stringify(sqs.world.store.allItems())).toBe(before)
  })
})
