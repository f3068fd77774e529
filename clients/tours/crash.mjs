// What test/crash.test.ts has done at an endpoint that it kills: node crash.mjs URL make|write|read
// `write` goes on until standard input ends. `write` and `read` print what they saw as JSON.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CreateStreamCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
  PutRecordsCommand,
} from '@aws-sdk/client-kinesis'
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { NodeHttpHandler } from '@smithy/node-http-handler'

const [endpoint, task] = process.argv.slice(2)
const StreamName = 'crash'
const QueueName = 'crash'
const PAUSE_MS = 20

if (task === 'make') await make()
else if (task === 'write') await write()
else if (task === 'read') await read()
process.exit(0)

async function make() {
  await new KinesisClient({ endpoint }).send(new CreateStreamCommand({ StreamName, ShardCount: 2 }))
  await new SQSClient({ endpoint }).send(new CreateQueueCommand({ QueueName }))
}

/** Four clients, over HTTP/2 and HTTP/1.1. They do not ask again: an attempt is acknowledged or it is not. */
async function write() {
  let ended = false
  process.stdin.resume()
  void once(process.stdin, 'end').then(() => {
    ended = true
  })
  const seen = { put: [], sent: [], asked: [], deleted: [], failures: 0 }
  const options = { endpoint, maxAttempts: 1 }
  const { QueueUrl } = await new SQSClient(options).send(new GetQueueUrlCommand({ QueueName }))
  const http1 = { requestHandler: new NodeHttpHandler() }
  await Promise.all([
    go(put('h2', new KinesisClient(options))),
    go(put('h1', new KinesisClient({ ...options, ...http1 }))),
    go(send(new SQSClient(options))),
    go(remove(new SQSClient(options))),
  ])
  console.log(JSON.stringify(seen))

  /** Runs the step again and again. A crash fails what is under way. */
  async function go(step) {
    for (let batch = 0; !ended; batch += 1) {
      try {
        await step(batch)
        await sleep(PAUSE_MS)
      } catch {
        seen.failures += 1
        await sleep(100)
      }
    }
  }

  function put(name, client) {
    return async (batch) => {
      const texts = Array.from({ length: 20 }, (_, index) => `${name} ${batch} ${index}`)
      const Records = texts.map((text) => ({ Data: Buffer.from(text), PartitionKey: text }))
      const answer = await client.send(new PutRecordsCommand({ StreamName, Records }))
      seen.put.push(...texts.filter((_, index) => answer.Records[index].ErrorCode === undefined))
    }
  }

  function send(client) {
    return async (batch) => {
      const bodies = Array.from({ length: 10 }, (_, index) => `${batch} ${index}`)
      const Entries = bodies.map((MessageBody, index) => ({ Id: `${index}`, MessageBody }))
      const { Successful = [] } = await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }))
      seen.sent.push(...Successful.map(({ Id }) => bodies[Number(Id)]))
    }
  }

  function remove(client) {
    return async () => {
      const asked = { QueueUrl, MaxNumberOfMessages: 3, VisibilityTimeout: 5 }
      const { Messages = [] } = await client.send(new ReceiveMessageCommand(asked))
      if (Messages.length === 0) return
      seen.asked.push(...Messages.map(({ Body }) => Body))
      const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: `${index}`, ReceiptHandle }))
      const { Successful = [] } = await client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }))
      seen.deleted.push(...Successful.map(({ Id }) => Messages[Number(Id)].Body))
    }
  }
}

async function read() {
  const records = []
  const kinesis = new KinesisClient({ endpoint })
  const { Shards } = await kinesis.send(new ListShardsCommand({ StreamName }))
  for (const { ShardId } of Shards) {
    const place = { StreamName, ShardId, ShardIteratorType: 'TRIM_HORIZON' }
    let { ShardIterator } = await kinesis.send(new GetShardIteratorCommand(place))
    for (let behind = 1; behind > 0; ) {
      const answer = await kinesis.send(new GetRecordsCommand({ ShardIterator }))
      records.push(...answer.Records.map(({ Data }) => Buffer.from(Data).toString()))
      ShardIterator = answer.NextShardIterator
      behind = answer.MillisBehindLatest
    }
  }
  // What was taken and not deleted comes back after its five seconds.
  const messages = []
  const sqs = new SQSClient({ endpoint })
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName }))
  for (const endMs = Date.now() + 7_000; Date.now() < endMs; ) {
    const asked = { QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 600, WaitTimeSeconds: 1 }
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand(asked))
    messages.push(...Messages.map(({ Body }) => Body))
  }
  console.log(JSON.stringify({ records, messages }))
}
