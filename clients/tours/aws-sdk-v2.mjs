// The JavaScript SDK v2, which many libraries still bring: node aws-sdk-v2.mjs URL
import assert from 'node:assert/strict'
import AWS from 'aws-sdk'

const [endpoint] = process.argv.slice(2)

await kinesis(new AWS.Kinesis({ endpoint }))
await sqs(new AWS.SQS({ endpoint }))

async function kinesis(client) {
  const StreamName = 'sdk-v2'
  await client.createStream({ StreamName, ShardCount: 1 }).promise()
  await client.waitFor('streamExists', { StreamName }).promise()
  const Records = Array.from({ length: 20 }, (_, number) => ({ Data: `${number}`, PartitionKey: 'a' }))
  const { FailedRecordCount } = await client.putRecords({ StreamName, Records }).promise()
  assert.equal(FailedRecordCount, 0)
  const place = { StreamName, ShardId: 'shardId-000000000000', ShardIteratorType: 'TRIM_HORIZON' }
  const { ShardIterator } = await client.getShardIterator(place).promise()
  const read = await client.getRecords({ ShardIterator }).promise()
  assert.deepEqual(
    read.Records.map(({ Data }) => Data.toString()),
    Records.map(({ Data }) => Data),
  )
  assert.ok(read.Records[0].ApproximateArrivalTimestamp instanceof Date)
  await assert.rejects(client.describeStream({ StreamName: 'nowhere' }).promise(), {
    code: 'ResourceNotFoundException',
    statusCode: 400,
  })
  await client.deleteStream({ StreamName }).promise()
  console.log(`Kinesis: ${read.Records.length} records there and back`)
}

async function sqs(client) {
  const { QueueUrl } = await client.createQueue({ QueueName: 'sdk-v2' }).promise()
  const MessageAttributes = { a: { DataType: 'String', StringValue: 'ä' } }
  // The client compares the MD5 of the body with its own.
  await client.sendMessage({ QueueUrl, MessageBody: 'grüße', MessageAttributes }).promise()
  const asked = { QueueUrl, WaitTimeSeconds: 5, MessageAttributeNames: ['All'] }
  const { Messages } = await client.receiveMessage(asked).promise()
  assert.deepEqual([Messages[0].Body, Messages[0].MessageAttributes.a.StringValue], ['grüße', 'ä'])
  await client.deleteMessage({ QueueUrl, ReceiptHandle: Messages[0].ReceiptHandle }).promise()
  await assert.rejects(client.getQueueUrl({ QueueName: 'nowhere' }).promise(), {
    code: 'AWS.SimpleQueueService.NonExistentQueue',
  })
  await client.deleteQueue({ QueueUrl }).promise()
  console.log('SQS: a message there and back')
}
