import {
  DeleteStreamCommand,
  KinesisClient,
  ListShardsCommand,
  PutRecordCommand,
  PutRecordsCommand,
  SplitShardCommand,
} from '@aws-sdk/client-kinesis'
import { defineApp, stream, subscribe } from 'eddy'
import { expect, it } from 'vitest'
import { ACCESS, startEndpoint } from './support/endpoint.ts'

const StreamName = 'orders'
const KEYS = 10
const ROUNDS = 12
const SPLIT_AFTER = 6

it('subscriptions handle what AWS clients put, in order over a split, and keep as a dead letter what is no event', async () => {
  const handled = new Map<string, number[]>()
  let count = 0
  let done: () => void = () => {}
  const allHandled = new Promise<void>((resolve) => {
    done = resolve
  })
  const billing = subscribe('billing', stream(StreamName, { shards: 2 }), {
    failure: { blocks: 'key', exhausted: 'dead-letter' },
    handle: ({ data }, { key }) => {
      handled.set(key, [...(handled.get(key) ?? []), (data as { n: number }).n])
      count += 1
      if (count === KEYS * ROUNDS) done()
    },
  })
  const endpoint = await startEndpoint(defineApp({ subscriptions: [billing] }))
  const kinesis = new KinesisClient({ endpoint: endpoint.url, ...ACCESS })
  try {
    await kinesis.send(
      new PutRecordCommand({ StreamName, PartitionKey: 'ann', Data: Buffer.from('no event') }),
    )
    for (let n = 0; n < ROUNDS; n += 1) {
      if (n === SPLIT_AFTER) await split()
      const Records = Array.from({ length: KEYS }, (_, key) => ({
        PartitionKey: `key-${key}`,
        Data: Buffer.from(cloudEvent(`${key}-${n}`, { n })),
      }))
      expect(await kinesis.send(new PutRecordsCommand({ StreamName, Records }))).toMatchObject({
        FailedRecordCount: 0,
      })
    }
    await allHandled
    for (const numbers of handled.values())
      expect(numbers).toEqual(Array.from({ length: ROUNDS }, (_, n) => n))
    const { items } = await endpoint.operations.listFailures({ status: 'dead' })
    expect(items).toMatchObject([{ subscription: 'billing', key: 'ann' }])

    // The application's subscription reads it.
    const remove = kinesis.send(new DeleteStreamCommand({ StreamName }))
    await expect(remove).rejects.toMatchObject({ name: 'ResourceInUseException' })
  } finally {
    kinesis.destroy()
    await endpoint.close()
  }

  async function split(): Promise<void> {
    const NewStartingHashKey = (1n << 126n).toString()
    await kinesis.send(new SplitShardCommand({ StreamName, ShardToSplit: '0', NewStartingHashKey }))
    expect((await kinesis.send(new ListShardsCommand({ StreamName }))).Shards).toHaveLength(4)
  }
})

function cloudEvent(id: string, data: unknown): string {
  return JSON.stringify({ specversion: '1.0', id, source: '/tests', type: 'order.placed', data })
}
