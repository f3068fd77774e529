// Many clients at once: node under-load.mjs URL
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CreateStreamCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
  MergeShardsCommand,
  PutRecordsCommand,
  SplitShardCommand,
} from '@aws-sdk/client-kinesis'
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { NodeHttpHandler } from '@smithy/node-http-handler'

const [endpoint] = process.argv.slice(2)
const WITHIN_MS = 60_000

await readersFollowSplits()
await manyPolls()
await fifoUnderLoad()
process.exit(0)

/** As KCL reads: children are begun once their parents are at their end, so that keys stay in order. */
async function readersFollowSplits() {
  const StreamName = 'followed'
  const WRITERS = 8
  const BATCHES = 25
  const admin = new KinesisClient({ endpoint })
  await admin.send(new CreateStreamCommand({ StreamName, ShardCount: 4 }))
  const read = new Map()
  let total = 0
  const begun = new Set()
  const ended = new Set()
  let stop = false
  const follow = (async () => {
    const readers = []
    while (!stop) {
      const { Shards } = await admin.send(new ListShardsCommand({ StreamName }))
      const known = new Set(Shards.map(({ ShardId }) => ShardId))
      for (const { ShardId, ParentShardId, AdjacentParentShardId } of Shards) {
        const parents = [ParentShardId, AdjacentParentShardId].filter(
          (id) => id !== undefined && known.has(id),
        )
        if (begun.has(ShardId) || !parents.every((id) => ended.has(id))) continue
        begun.add(ShardId)
        readers.push(readShard(ShardId))
      }
      await sleep(50)
    }
    await Promise.all(readers)
  })()

  await Promise.all([...Array.from({ length: WRITERS }, (_, writer) => writeKeys(writer)), reshard()])
  await until(`all records are read (${total})`, async () => total === WRITERS * BATCHES * 20)
  stop = true
  await follow
  for (const [key, numbers] of read)
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
      key,
    )
  console.log(
    `${WRITERS} writers, ${begun.size} shards read over splits and merges: ${total} records, in order`,
  )

  async function writeKeys(writer) {
    const options = writer % 2 === 0 ? { endpoint } : { endpoint, requestHandler: new NodeHttpHandler() }
    const client = new KinesisClient(options)
    for (let batch = 0; batch < BATCHES; batch += 1) {
      // One record a key and batch, and the next batch when all of this one are in: a key's order is the writer's.
      let rest = Array.from({ length: 20 }, (_, index) => ({
        Data: Buffer.from(`${writer}-${index} ${batch}`),
        PartitionKey: `${writer}-${index}`,
      }))
      while (rest.length > 0) {
        const sent = rest
        const { Records } = await client.send(new PutRecordsCommand({ StreamName, Records: sent }))
        rest = sent.filter((_, index) => Records[index].ErrorCode !== undefined)
        await sleep(rest.length > 0 ? 100 : 50)
      }
    }
    client.destroy()
  }

  async function reshard() {
    for (let round = 0; round < 3; round += 1) {
      await sleep(300)
      const open = async () => {
        const filter = { StreamName, ShardFilter: { Type: 'AT_LATEST' } }
        const { Shards } = await admin.send(new ListShardsCommand(filter))
        return Shards.toSorted((a, b) =>
          BigInt(a.HashKeyRange.StartingHashKey) < BigInt(b.HashKeyRange.StartingHashKey) ? -1 : 1,
        )
      }
      const [first] = await open()
      const middle =
        (BigInt(first.HashKeyRange.StartingHashKey) + BigInt(first.HashKeyRange.EndingHashKey)) / 2n
      await admin.send(
        new SplitShardCommand({ StreamName, ShardToSplit: first.ShardId, NewStartingHashKey: `${middle}` }),
      )
      await sleep(300)
      const [, second, third] = await open()
      await admin.send(
        new MergeShardsCommand({
          StreamName,
          ShardToMerge: second.ShardId,
          AdjacentShardToMerge: third.ShardId,
        }),
      )
    }
  }

  async function readShard(ShardId) {
    const client = new KinesisClient({ endpoint })
    const place = { StreamName, ShardId, ShardIteratorType: 'TRIM_HORIZON' }
    let { ShardIterator } = await client.send(new GetShardIteratorCommand(place))
    while (ShardIterator !== undefined && !(stop && total === WRITERS * BATCHES * 20)) {
      const { Records, NextShardIterator } = await client.send(new GetRecordsCommand({ ShardIterator }))
      for (const { Data, PartitionKey } of Records) {
        if (!read.has(PartitionKey)) read.set(PartitionKey, [])
        read.get(PartitionKey).push(Number(Buffer.from(Data).toString().split(' ')[1]))
        total += 1
      }
      ShardIterator = NextShardIterator ?? undefined
      await sleep(210)
    }
    if (ShardIterator === undefined) ended.add(ShardId)
    client.destroy()
  }
}

/** Each message goes to one of those that wait. */
async function manyPolls() {
  const POLLS = 300
  const sqs = new SQSClient({
    endpoint,
    requestHandler: new NodeHttpHandler({ httpAgent: { maxSockets: POLLS + 10 } }),
  })
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'polled' }))
  const asked = { QueueUrl, MaxNumberOfMessages: 1, WaitTimeSeconds: 20 }
  const polls = Array.from({ length: POLLS }, () => sqs.send(new ReceiveMessageCommand(asked)))
  await sleep(500)
  for (let start = 0; start < POLLS; start += 10) {
    const Entries = Array.from({ length: 10 }, (_, index) => ({
      Id: `${index}`,
      MessageBody: `${start + index}`,
    }))
    await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }))
  }
  const bodies = (await Promise.all(polls)).map(({ Messages = [] }) => Messages[0]?.Body)
  assert.deepEqual(
    bodies.map(Number).toSorted((a, b) => a - b),
    Array.from({ length: POLLS }, (_, number) => number),
  )
  console.log(`${POLLS} long polls at once: each had its message`)
}

/** Several consumers, of which each gives back every fifth message: a group's order holds all the same. */
async function fifoUnderLoad() {
  const GROUPS = 10
  const EACH = 15
  const CONSUMERS = 6
  const sqs = new SQSClient({ endpoint })
  const Attributes = { FifoQueue: 'true', VisibilityTimeout: '30' }
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'loaded.fifo', Attributes }))
  const handled = new Map()
  let count = 0
  const senders = Array.from({ length: GROUPS }, async (_, group) => {
    for (let number = 0; number < EACH; number += 1) {
      const of = { MessageGroupId: `g${group}`, MessageDeduplicationId: `${group}-${number}` }
      // Twice: the second is the same message.
      for (let time = 0; time < 2; time += 1)
        await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: `${number}`, ...of }))
    }
  })
  const consumers = Array.from({ length: CONSUMERS }, async (_, consumer) => {
    const client = new SQSClient({ endpoint })
    for (let taken = consumer; count < GROUPS * EACH; ) {
      const asked = {
        QueueUrl,
        MaxNumberOfMessages: 1,
        WaitTimeSeconds: 1,
        MessageSystemAttributeNames: ['MessageGroupId'],
      }
      const { Messages = [] } = await client.send(new ReceiveMessageCommand(asked))
      for (const { Body, ReceiptHandle, Attributes: of } of Messages) {
        taken += 1
        if (taken % 5 === 0) {
          const back = { QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }
          await client.send(new ChangeMessageVisibilityCommand(back))
          continue
        }
        const group = handled.get(of.MessageGroupId) ?? []
        handled.set(of.MessageGroupId, [...group, Number(Body)])
        count += 1
        await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))
      }
    }
    client.destroy()
  })
  await Promise.all([...senders, ...consumers])
  const expected = Array.from({ length: EACH }, (_, number) => number)
  assert.equal(handled.size, GROUPS)
  for (const [group, numbers] of handled) assert.deepEqual(numbers, expected, group)
  console.log(`${CONSUMERS} consumers of a FIFO queue: ${GROUPS} groups of ${EACH}, each in order and once`)
}

async function until(what, isSo) {
  const endMs = Date.now() + WITHIN_MS
  while (!(await isSo())) {
    if (Date.now() > endMs) throw new Error(`never: ${what}`)
    await sleep(50)
  }
}
