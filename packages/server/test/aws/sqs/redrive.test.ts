import { describe, expect, it } from 'vitest'
import { arnOf, SqsClient, urlOf } from './support/sqs-client.ts'

function policy(target: string, maxReceiveCount: number | string = 2): string {
  return JSON.stringify({ deadLetterTargetArn: arnOf(target), maxReceiveCount })
}

async function withDeadLetters(suffix = '', limits = {}, seed = 1): Promise<SqsClient> {
  const sqs = new SqsClient({ limits, seed })
  const more = suffix === '' ? {} : { ContentBasedDeduplication: 'true' }
  await sqs.createQueue(`dead${suffix}`, more)
  await sqs.createQueue(`work${suffix}`, {
    ...more,
    RedrivePolicy: policy(`dead${suffix}`),
    VisibilityTimeout: '10',
  })
  return sqs
}

/** Receives until nothing of `queue` is left to receive. */
async function wearOut(sqs: SqsClient, queue: string, rounds = 3): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await sqs.receive(queue)
    await sqs.seconds(10)
  }
}

describe('SQS: the redrive policy', () => {
  it('moves a message that was received too often, with its id, content and time', async () => {
    const sqs = await withDeadLetters()
    const sentMs = sqs.clock.now()
    const sent = await sqs.send('work', 'x', {
      MessageAttributes: { kind: { DataType: 'String', StringValue: 'order' } },
    })
    for (let receives = 1; receives <= 2; receives++) {
      expect((await sqs.receive('work')).length).toBe(1)
      await sqs.seconds(10)
    }
    expect(await sqs.counts('work')).toEqual([1, 0, 0])
    expect(await sqs.receive('work')).toEqual([])
    expect(await sqs.counts('work')).toEqual([0, 0, 0])
    const [dead] = await sqs.receive('dead')
    expect(dead).toMatchObject({
      MessageId: sent.MessageId,
      Body: 'x',
      MessageAttributes: { kind: { DataType: 'String', StringValue: 'order' } },
      Attributes: {
        DeadLetterQueueSourceArn: arnOf('work'),
        SentTimestamp: String(sentMs),
        ApproximateReceiveCount: '3',
      },
    })
    await sqs.delete('dead', dead)
    await sqs.seconds(0)
    expect(sqs.stored('messages')).toEqual([])
    expect(sqs.stored('contents')).toEqual([])
  })

  it('counts receives anew in the dead-letter queue, whose own policy is for its own', async () => {
    const sqs = await withDeadLetters()
    await sqs.createQueue('grave')
    await sqs.call('SetQueueAttributes', {
      QueueUrl: urlOf('dead'),
      Attributes: { RedrivePolicy: policy('grave'), VisibilityTimeout: '10' },
    })
    await sqs.send('work', 'x')
    await wearOut(sqs, 'work')
    expect(await sqs.receiveBodies('dead')).toEqual(['x'])
    await sqs.seconds(10)
    expect(await sqs.receiveBodies('dead')).toEqual(['x'])
    await sqs.seconds(10)
    expect(await sqs.receiveBodies('dead')).toEqual([])
    expect(await sqs.receiveBodies('grave')).toEqual(['x'])
  })

  it('lets a FIFO group go on after its hopeless message, which begins a new time', async () => {
    const sqs = await withDeadLetters('.fifo')
    await sqs.send('work.fifo', 'bad', { MessageGroupId: 'g' })
    await sqs.send('work.fifo', 'good', { MessageGroupId: 'g' })
    for (let receives = 1; receives <= 2; receives++) {
      expect(await sqs.receiveBodies('work.fifo', { MaxNumberOfMessages: 1 })).toEqual(['bad'])
      await sqs.seconds(10)
    }
    expect(await sqs.receiveBodies('work.fifo')).toEqual(['good'])
    const movedMs = sqs.clock.now()
    const [dead] = await sqs.receive('dead.fifo')
    expect(dead).toMatchObject({
      Body: 'bad',
      Attributes: { MessageGroupId: 'g', SentTimestamp: String(movedMs) },
    })
  })

  it('is done once, at whichever write the process ends', async () => {
    const places = new Set<string>()
    for (let seed = 1; seed <= 12; seed++) {
      for (let calls = 1; calls <= 3; calls++) {
        const sqs = await withDeadLetters('', {}, seed)
        await sqs.send('work', 'x')
        await wearOut(sqs, 'work', 2)
        sqs.world.crashAtCall(sqs.world.callCount + calls)
        void sqs.request('ReceiveMessage', { QueueUrl: urlOf('work') })
        await sqs.seconds(1)
        sqs.restart()
        const [work] = await sqs.counts('work')
        const [dead] = await sqs.counts('dead')
        expect(Number(work) + Number(dead), `seed ${seed}, call ${calls}`).toBe(1)
        places.add(work === 1 ? 'work' : 'dead')
        expect(sqs.stored('messages').length).toBe(1)
      }
    }
    expect(places.size).toBe(2)
  })

  it('keeps messages where they are while the dead-letter queue is gone', async () => {
    const sqs = await withDeadLetters()
    await sqs.send('work', 'x')
    await sqs.call('DeleteQueue', { QueueUrl: urlOf('dead') })
    await wearOut(sqs, 'work')
    expect(await sqs.receiveBodies('work')).toEqual(['x'])
  })

  it('may name the queue itself, which changes nothing', async () => {
    const sqs = new SqsClient()
    await sqs.createQueue('work')
    await sqs.call('SetQueueAttributes', {
      QueueUrl: urlOf('work'),
      Attributes: { RedrivePolicy: policy('work', 1), VisibilityTimeout: '10' },
    })
    await sqs.send('work', 'x')
    await wearOut(sqs, 'work')
    expect(await sqs.receiveBodies('work')).toEqual(['x'])
  })

  it('is checked: the target is there, of the same type, and lets this source in', async () => {
    const sqs = await withDeadLetters()
    await sqs.createQueue('other.fifo')
    const refusal = async (name: string, RedrivePolicy: string): Promise<string> => {
      const input = { QueueName: name, Attributes: { RedrivePolicy } }
      return (await sqs.refused('CreateQueue', input)).message
    }
    expect(await refusal('new', policy('nowhere'))).toContain('Dead letter target does not exist.')
    expect(await refusal('new', policy('other.fifo'))).toContain('same type of queue')
    expect(await refusal('new', policy('dead', 0))).toContain('from 1 to 1000')
    expect(await refusal('new', policy('dead', '1001'))).toContain('from 1 to 1000')
    expect(await refusal('new', '[]')).toContain('not a valid JSON map')
    expect(await refusal('new', '{"maxReceiveCount":1}')).toContain('deadLetterTargetArn')
    expect(await refusal('new', JSON.stringify({ deadLetterTargetArn: arnOf('dead') }))).toContain(
      'maxReceiveCount',
    )
    const allow = async (RedriveAllowPolicy: string): Promise<void> => {
      await sqs.call('SetQueueAttributes', { QueueUrl: urlOf('dead'), Attributes: { RedriveAllowPolicy } })
    }
    await allow('{"redrivePermission":"denyAll"}')
    expect(await refusal('new', policy('dead'))).toContain('RedriveAllowPolicy')
    await allow(JSON.stringify({ redrivePermission: 'byQueue', sourceQueueArns: [arnOf('new')] }))
    expect(await refusal('newer', policy('dead'))).toContain('RedriveAllowPolicy')
    await sqs.createQueue('new', { RedrivePolicy: policy('dead', '7') })
    await allow('')
    await sqs.createQueue('newer', { RedrivePolicy: policy('dead') })
    const listed = await sqs.call('ListDeadLetterSourceQueues', { QueueUrl: urlOf('dead') })
    expect(listed.queueUrls).toEqual(['new', 'newer', 'work'].map(urlOf))
    for (const wrong of ['{"redrivePermission":"some"}', '{"redrivePermission":"byQueue"}', 'x']) {
      const input = { QueueUrl: urlOf('dead'), Attributes: { RedriveAllowPolicy: wrong } }
      expect((await sqs.refused('SetQueueAttributes', input)).queryCode).toBe('InvalidParameterValue')
    }
  })
})

describe('SQS: message move tasks', () => {
  async function deadMessages(count: number, limits = {}): Promise<SqsClient> {
    const sqs = await withDeadLetters('', limits)
    for (let sent = 0; sent < count; sent += 10) {
      const Entries = Array.from({ length: Math.min(10, count - sent) }, (_, index) => ({
        Id: `${index}`,
        MessageBody: `m${sent + index}`,
      }))
      await sqs.call('SendMessageBatch', { QueueUrl: urlOf('work'), Entries })
    }
    for (let receives = 0; receives < 2; receives++) {
      while ((await sqs.receive('work')).length > 0);
      await sqs.seconds(10)
    }
    expect(await sqs.receive('work')).toEqual([])
    expect(await sqs.counts('dead')).toEqual([count, 0, 0])
    return sqs
  }
  const tasks = async (sqs: SqsClient, more = {}): Promise<readonly Record<string, unknown>[]> => {
    const answer = await sqs.call('ListMessageMoveTasks', { SourceArn: arnOf('dead'), ...more })
    return answer.Results as readonly Record<string, unknown>[]
  }

  it('moves messages back to where they came from, as new ones', async () => {
    const sqs = await deadMessages(3)
    const startedMs = sqs.clock.now()
    const { TaskHandle } = await sqs.call('StartMessageMoveTask', { SourceArn: arnOf('dead') })
    expect(TaskHandle).toEqual(expect.any(String))
    await sqs.seconds(1)
    expect(await tasks(sqs)).toEqual([
      {
        Status: 'COMPLETED',
        SourceArn: arnOf('dead'),
        ApproximateNumberOfMessagesMoved: 3,
        ApproximateNumberOfMessagesToMove: 3,
        StartedTimestamp: startedMs,
      },
    ])
    const back = await sqs.receive('work')
    expect(back.map(({ Body }) => Body)).toEqual(['m0', 'm1', 'm2'])
    expect(back[0]?.Attributes).toMatchObject({
      ApproximateReceiveCount: '1',
      SentTimestamp: String(startedMs),
    })
    expect(await sqs.counts('dead')).toEqual([0, 0, 0])
    for (const message of back) await sqs.delete('work', message)
    await sqs.seconds(0)
    expect(sqs.stored('contents')).toEqual([])
  })

  it('moves at its rate, shows how far it is, and can be cancelled', async () => {
    const sqs = await deadMessages(60)
    await sqs.createQueue('elsewhere')
    const { TaskHandle } = await sqs.call('StartMessageMoveTask', {
      SourceArn: arnOf('dead'),
      DestinationArn: arnOf('elsewhere'),
      MaxNumberOfMessagesPerSecond: 20,
    })
    const second = { SourceArn: arnOf('dead') }
    expect((await sqs.refused('StartMessageMoveTask', second)).queryCode).toBe(
      'AWS.SimpleQueueService.UnsupportedOperation',
    )
    await sqs.clock.advance(999)
    expect((await sqs.counts('elsewhere'))[0]).toBe(20)
    expect(await tasks(sqs)).toMatchObject([
      {
        TaskHandle,
        Status: 'RUNNING',
        DestinationArn: arnOf('elsewhere'),
        MaxNumberOfMessagesPerSecond: 20,
        ApproximateNumberOfMessagesMoved: 20,
        ApproximateNumberOfMessagesToMove: 60,
      },
    ])
    expect(await sqs.call('CancelMessageMoveTask', { TaskHandle: TaskHandle as string })).toEqual({
      ApproximateNumberOfMessagesMoved: 20,
    })
    await sqs.seconds(5)
    expect((await sqs.counts('elsewhere'))[0]).toBe(20)
    expect(await tasks(sqs)).toMatchObject([{ Status: 'CANCELLED' }])
    expect((await sqs.refused('CancelMessageMoveTask', { TaskHandle: TaskHandle as string })).queryCode).toBe(
      'AWS.SimpleQueueService.UnsupportedOperation',
    )
    await sqs.call('StartMessageMoveTask', second)
    await sqs.seconds(1)
    expect((await sqs.counts('work'))[0]).toBe(40)
    expect(await tasks(sqs, { MaxResults: 10 })).toMatchObject([
      { Status: 'COMPLETED' },
      { Status: 'CANCELLED' },
    ])
  })

  it('goes on after a restart, and moves nothing twice', async () => {
    const sqs = await deadMessages(60)
    await sqs.call('StartMessageMoveTask', { SourceArn: arnOf('dead'), MaxNumberOfMessagesPerSecond: 20 })
    await sqs.clock.advance(1_050)
    sqs.restart()
    await sqs.call('ListQueues')
    await sqs.seconds(10)
    expect(await tasks(sqs)).toMatchObject([{ Status: 'COMPLETED', ApproximateNumberOfMessagesMoved: 60 }])
    expect(await sqs.counts('work')).toEqual([60, 0, 0])
    expect(await sqs.counts('dead')).toEqual([0, 0, 0])
  })

  it('ends with the queue that it moves from, and fails without the one that it moves to', async () => {
    const sqs = await deadMessages(2)
    await sqs.call('DeleteQueue', { QueueUrl: urlOf('work') })
    await sqs.createQueue('other', { RedrivePolicy: policy('dead') })
    await sqs.call('StartMessageMoveTask', { SourceArn: arnOf('dead') })
    await sqs.seconds(1)
    const failed = { Status: 'FAILED', FailureReason: 'AWS.SimpleQueueService.NonExistentQueue' }
    expect(await tasks(sqs)).toMatchObject([failed])
    const { TaskHandle } = await sqs.call('StartMessageMoveTask', {
      SourceArn: arnOf('dead'),
      DestinationArn: arnOf('other'),
      MaxNumberOfMessagesPerSecond: 1,
    })
    await sqs.call('DeleteQueue', { QueueUrl: urlOf('dead') })
    await sqs.seconds(5)
    expect(await sqs.counts('other')).toEqual([1, 0, 0])
    const cancelled = await sqs.refused('CancelMessageMoveTask', { TaskHandle: TaskHandle as string })
    expect(cancelled.code).toBe('ResourceNotFoundException')
    expect(sqs.world.store.allItems('aws-sqs/move-tasks')).toEqual([])
  })

  it('keeps a FIFO group in order, and no deduplication id stops it', async () => {
    const sqs = await withDeadLetters('.fifo')
    for (const body of ['a1', 'b1', 'a2', 'b2']) {
      await sqs.send('work.fifo', body, { MessageGroupId: body.slice(0, 1) })
    }
    await wearOut(sqs, 'work.fifo')
    expect(await sqs.counts('dead.fifo')).toEqual([4, 0, 0])
    await sqs.call('StartMessageMoveTask', {
      SourceArn: arnOf('dead.fifo'),
      MaxNumberOfMessagesPerSecond: 1,
    })
    await sqs.seconds(2)
    expect(await sqs.receiveBodies('work.fifo', { VisibilityTimeout: 600 })).toEqual(['a1', 'a2', 'b1'])
    await sqs.seconds(5)
    expect(await sqs.counts('dead.fifo')).toEqual([0, 0, 0])
    expect(await sqs.counts('work.fifo')).toEqual([1, 3, 0])
  })

  it('moves each message once, wherever the process ends', async () => {
    for (let calls = 1; calls <= 14; calls++) {
      const sqs = await deadMessages(6)
      sqs.world.crashAtCall(sqs.world.callCount + calls)
      const start = { SourceArn: arnOf('dead'), MaxNumberOfMessagesPerSecond: 20 }
      const started = sqs.request('StartMessageMoveTask', start).then(() => true)
      const answered = await Promise.race([started, sqs.seconds(0.25).then(() => false)])
      sqs.world.crashAtCall(Number.POSITIVE_INFINITY)
      sqs.restart()
      const listed = await tasks(sqs)
      expect(listed.length, `crash at call ${calls}`).toBe(answered ? 1 : listed.length)
      if (listed.length === 0) await sqs.call('StartMessageMoveTask', start)
      await sqs.seconds(5)
      const [task] = await tasks(sqs)
      expect(task?.Status).toBe('COMPLETED')
      // Less than all if the crash came between a step's messages and its count.
      expect(task?.ApproximateNumberOfMessagesMoved).toBeLessThanOrEqual(6)
      expect(await sqs.counts('dead')).toEqual([0, 0, 0])
      expect(await sqs.counts('work')).toEqual([6, 0, 0])
    }
  })

  it('leaves what came later and what is in flight, and fails for what has no source', async () => {
    const sqs = await deadMessages(2)
    await sqs.receive('dead', { MaxNumberOfMessages: 1, VisibilityTimeout: 600 })
    await sqs.call('StartMessageMoveTask', { SourceArn: arnOf('dead'), MaxNumberOfMessagesPerSecond: 1 })
    await sqs.send('dead', 'late')
    await sqs.seconds(5)
    expect(await tasks(sqs)).toMatchObject([{ Status: 'COMPLETED', ApproximateNumberOfMessagesMoved: 1 }])
    expect(await sqs.counts('dead')).toEqual([1, 1, 0])
    await sqs.call('StartMessageMoveTask', { SourceArn: arnOf('dead') })
    await sqs.seconds(1)
    expect(await tasks(sqs)).toMatchObject([
      { Status: 'FAILED', FailureReason: 'CouldNotDetermineMessageSource' },
    ])
    expect(await sqs.counts('dead')).toEqual([1, 1, 0])
  })

  it('is only for dead-letter queues that are there', async () => {
    const sqs = await withDeadLetters()
    const refusal = async (input: Record<string, string | number>) =>
      await sqs.refused('StartMessageMoveTask', input)
    expect(await refusal({ SourceArn: arnOf('nowhere') })).toMatchObject({
      code: 'ResourceNotFoundException',
      message: "The resource that you specified for the SourceArn parameter doesn't exist.",
    })
    expect((await refusal({ SourceArn: arnOf('work') })).message).toBe(
      'Source queue must be configured as a Dead Letter Queue.',
    )
    const SourceArn = arnOf('dead')
    expect((await refusal({ SourceArn, DestinationArn: arnOf('nowhere') })).status).toBe(404)
    expect((await refusal({ SourceArn, DestinationArn: SourceArn })).queryCode).toBe('InvalidParameterValue')
    for (const MaxNumberOfMessagesPerSecond of [0, 501]) {
      const refused = await refusal({ SourceArn, MaxNumberOfMessagesPerSecond })
      expect(refused.queryCode).toBe('InvalidParameterValue')
    }
    expect(await sqs.refused('CancelMessageMoveTask', { TaskHandle: 'x' })).toMatchObject({
      code: 'ResourceNotFoundException',
      message: 'Task does not exist.',
    })
  })
})
