// sqs-consumer handles messages, tries one again that fails at first, and leaves one that always fails to the
// dead-letter queue; a FIFO queue keeps its order: node sqs-consumer.mjs URL
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { Consumer } from 'sqs-consumer'

const [endpoint] = process.argv.slice(2)
const WITHIN_MS = 60_000
const sqs = new SQSClient({ endpoint })

await standard()
await batches()
await fifo()
sqs.destroy()

async function standard() {
  const dead = await create('consumer-dead')
  const deadLetterTargetArn = await attribute(dead, 'QueueArn')
  const queue = await create('consumer', {
    VisibilityTimeout: '1',
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 3 }),
  })
  const tries = new Map()
  const consumer = Consumer.create({
    queueUrl: queue,
    sqs,
    batchSize: 10,
    waitTimeSeconds: 1,
    visibilityTimeout: 30,
    terminateVisibilityTimeout: true,
    handleMessage: async (message) => {
      const { Body } = message
      tries.set(Body, (tries.get(Body) ?? 0) + 1)
      if (Body === 'poison' || (Body === 'fails at first' && tries.get(Body) < 3)) throw new Error(Body)
      return message
    },
  })
  const errors = errorsOf(consumer)
  consumer.start()
  for (const body of ['one', 'two', 'fails at first', 'poison'])
    await sqs.send(new SendMessageCommand({ QueueUrl: queue, MessageBody: body }))
  const received = { QueueUrl: dead, WaitTimeSeconds: 20, MessageSystemAttributeNames: ['All'] }
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand(received))
  assert.deepEqual(
    Messages.map(({ Body }) => Body),
    ['poison'],
  )
  await until('the queue is empty', async () => (await left(queue)) === 0)
  await stopped(consumer)
  assert.deepEqual(Object.fromEntries(tries), { one: 1, two: 1, 'fails at first': 3, poison: 3 })
  assert.deepEqual(errors, [])
  console.log('standard queue: 2 handled at once, 1 at its third try, 1 dead')
}

async function batches() {
  const queue = await create('consumer-batches')
  const bodies = Array.from({ length: 50 }, (_, number) => `body ${number}`)
  for (let start = 0; start < bodies.length; start += 10) {
    const Entries = bodies
      .slice(start, start + 10)
      .map((body, index) => ({ Id: `${index}`, MessageBody: body }))
    await sqs.send(new SendMessageBatchCommand({ QueueUrl: queue, Entries }))
  }
  const handled = []
  const handleMessageBatch = async (messages) => {
    handled.push(...messages.map(({ Body }) => Body))
    return messages
  }
  const consumer = Consumer.create({
    queueUrl: queue,
    sqs,
    batchSize: 10,
    waitTimeSeconds: 1,
    handleMessageBatch,
  })
  const errors = errorsOf(consumer)
  consumer.start()
  await until('all are handled', async () => handled.length >= bodies.length && (await left(queue)) === 0)
  await stopped(consumer)
  assert.deepEqual(handled.toSorted(), bodies.toSorted())
  assert.deepEqual(errors, [])
  console.log(`batches: ${handled.length} handled once each`)
}

async function fifo() {
  const queue = await create('consumer.fifo', { FifoQueue: 'true', VisibilityTimeout: '1' })
  const handled = []
  let failures = 0
  const consumer = Consumer.create({
    queueUrl: queue,
    sqs,
    batchSize: 1,
    waitTimeSeconds: 1,
    terminateVisibilityTimeout: true,
    suppressFifoWarning: true,
    handleMessage: async (message) => {
      if (message.Body === '3' && failures < 2) {
        failures += 1
        throw new Error('not yet')
      }
      handled.push(message.Body)
      return message
    },
  })
  const errors = errorsOf(consumer)
  for (let number = 0; number < 8; number += 1) {
    const of = { MessageBody: `${number}`, MessageGroupId: 'g', MessageDeduplicationId: `${number}` }
    await sqs.send(new SendMessageCommand({ QueueUrl: queue, ...of }))
  }
  consumer.start()
  await until('all are handled', async () => handled.length >= 8 && (await left(queue)) === 0)
  await stopped(consumer)
  assert.deepEqual(handled, ['0', '1', '2', '3', '4', '5', '6', '7'])
  assert.deepEqual(errors, [])
  console.log(`FIFO queue: ${handled.length} handled in order, one of them at its third try`)
}

async function create(name, attributes = {}) {
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: attributes }))
  return QueueUrl
}

async function attribute(queue, name) {
  const command = new GetQueueAttributesCommand({ QueueUrl: queue, AttributeNames: [name] })
  return (await sqs.send(command)).Attributes[name]
}

/** Messages that are waiting or in hand. */
async function left(queue) {
  const waiting = await attribute(queue, 'ApproximateNumberOfMessages')
  return Number(waiting) + Number(await attribute(queue, 'ApproximateNumberOfMessagesNotVisible'))
}

/** Errors of the consumer with the service; those of the handler are `processing_error`s. */
function errorsOf(consumer) {
  const errors = []
  consumer.on('error', (error) => errors.push(error.message))
  consumer.on('processing_error', () => {})
  return errors
}

async function stopped(consumer) {
  consumer.stop()
  await until('the consumer is idle', async () => !consumer.status.isPolling)
}

async function until(what, isSo) {
  const endMs = Date.now() + WITHIN_MS
  while (!(await isSo())) {
    if (Date.now() > endMs) throw new Error(`never: ${what}`)
    await sleep(50)
  }
}
