// lifion-kinesis reads a stream of three shards, over a split, from two consumers that share the shards through a
// table, once each: node lifion-kinesis.mjs URL
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import AWS from 'aws-sdk'
import dynalite from 'dynalite'
import Kinesis from 'lifion-kinesis'

const [url] = process.argv.slice(2)
const streamName = 'lifion'
const WITHIN_MS = 90_000
const access = { region: 'us-east-1', credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' } }

const state = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 })
state.listen(0, '127.0.0.1')
await once(state, 'listening')
const dynamoDb = { endpoint: `http://127.0.0.1:${state.address().port}`, ...access }

/** Texts of records, in the order in which each consumer got them. */
const read = []
const warnings = []
const consumers = ['first', 'second'].map(consumer)
for (const each of consumers) await each.startConsumer()

const admin = new AWS.Kinesis({ endpoint: url, ...access })
const { StreamDescriptionSummary: made } = await admin
  .describeStreamSummary({ StreamName: streamName })
  .promise()
assert.equal(made.OpenShardCount, 3, 'the consumer made the stream, with its shards')

const before = await put('before', 300)
await arrived(before)

const { Shards } = await admin.listShards({ StreamName: streamName }).promise()
const [{ ShardId: split, HashKeyRange: range }] = Shards
const middle = (BigInt(range.StartingHashKey) + BigInt(range.EndingHashKey)) / 2n
await admin
  .splitShard({ StreamName: streamName, ShardToSplit: split, NewStartingHashKey: `${middle}` })
  .promise()
const after = await put('after', 300)
await arrived([...before, ...after])

assert.equal(new Set(read).size, read.length, 'each record once')
for (const key of new Set(read.map(keyOf))) {
  const numbers = read.filter((text) => keyOf(text) === key).map((text) => Number(text.split(' ')[1]))
  assert.deepEqual(
    numbers,
    numbers.toSorted((a, b) => a - b),
    `the order of ${key}, over the split`,
  )
}
const { Shards: all } = await admin.listShards({ StreamName: streamName }).promise()
assert.equal(all.filter(({ ParentShardId }) => ParentShardId === split).length, 2)
console.log(`${read.length} records read from ${all.length} shards, ${warnings.length} warnings`)
// Rather than stopConsumer(), which version 1.3.3 fails in once a shard has ended.
process.exit(0)

function consumer(name) {
  const log = (...words) => warnings.push(`${name}: ${words.join(' ')}`)
  const kinesis = new Kinesis({
    streamName,
    shardCount: 3,
    createStreamIfNeeded: true,
    tags: { team: 'checkout' },
    consumerGroup: 'tour',
    initialPositionInStream: 'TRIM_HORIZON',
    leaseAcquisitionInterval: 500,
    leaseAcquisitionRecoveryInterval: 500,
    noRecordsPollDelay: 300,
    logger: { debug() {}, warn: log, error: log },
    dynamoDb,
    endpoint: url,
    ...access,
  })
  kinesis.on('data', ({ records }) => read.push(...records.map(({ data }) => String(data))))
  kinesis.on('error', (error) => log(error.stack))
  return kinesis
}

/** Six keys, which lie on all shards. */
async function put(word, count) {
  const texts = Array.from({ length: count }, (_, number) => `${word} ${number} key-${number % 6}`)
  const records = texts.map((text) => ({ data: text, partitionKey: keyOf(text) }))
  const answer = await consumers[0].putRecords({ streamName, records })
  assert.equal(answer.records.length, count)
  return texts
}

function keyOf(text) {
  return `${text.split(' ')[0]} ${text.split(' ')[2]}`
}

async function arrived(texts) {
  const endMs = Date.now() + WITHIN_MS
  while (read.length < texts.length) {
    if (Date.now() > endMs)
      throw new Error(`${read.length} of ${texts.length} arrived\n${warnings.join('\n')}`)
    await sleep(50)
  }
  assert.deepEqual(read.toSorted(), texts.toSorted())
}
