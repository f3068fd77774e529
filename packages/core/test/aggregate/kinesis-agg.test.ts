import { createHash } from 'node:crypto'
import * as kinesisAgg from 'aws-kinesis-agg'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Aggregate } from '../../src/aggregate/aggregate.ts'
import { decodeAggregate } from '../../src/aggregate/decode-aggregate.ts'
import { AggregateBuilder, type AggregateEntry } from '../../src/aggregate/encode-aggregate.ts'

/** The same format in another's hands: AWS's own Node library, in both directions. Its types tell less than it exports. */
const { deaggregateSync, RecordAggregator } = kinesisAgg as unknown as {
  readonly RecordAggregator: new () => {
    addUserRecord(record: { partitionKey: string; explicitHashKey?: string; data: Buffer }): void
    build(): { readonly partitionKey: string; readonly data: Buffer }
  }
  deaggregateSync(
    record: { readonly data: string; readonly partitionKey: string; readonly sequenceNumber: string },
    computeChecksums: boolean,
    callback: (error: Error | undefined, records: readonly TheirRecord[]) => void,
  ): void
}

interface TheirRecord {
  readonly partitionKey: string
  /** The first of the table where the record has none. */
  readonly explicitPartitionKey: string | undefined
  readonly subSequenceNumber: number
  readonly data: string
}

function md5(bytes: Uint8Array): Uint8Array {
  return createHash('md5').update(bytes).digest()
}

/**
 * Its aggregator keeps its tables as members of plain objects, and JavaScript moves members that look like small integers
 * to the front: it then writes records under each other's keys. So keys here have a letter and hash keys are large.
 */
const hashKey = fc.bigInt({ min: 1n << 32n, max: (1n << 128n) - 1n }).map(String)
const entries = fc.array(
  fc.record(
    {
      partitionKey: fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => `k${text}`),
      explicitHashKey: hashKey,
      data: fc.uint8Array({ minLength: 0, maxLength: 200 }),
    },
    { requiredKeys: ['partitionKey', 'data'] },
  ),
  { minLength: 1, maxLength: 100 },
)

test('aws-kinesis-agg reads what is written here', () => {
  fc.assert(
    fc.property(entries, (list) => {
      const builder = new AggregateBuilder()
      for (const entry of list) builder.add(entry)
      const read = theirs(builder.build(md5))
      expect(read).toHaveLength(list.length)
      for (const [index, { partitionKey, explicitHashKey, data }] of list.entries()) {
        expect(read[index]).toMatchObject({
          partitionKey,
          subSequenceNumber: index,
          data: Buffer.from(data).toString('base64'),
          ...(explicitHashKey !== undefined && { explicitPartitionKey: explicitHashKey }),
        })
      }
    }),
  )
})

test('what aws-kinesis-agg writes is read here', () => {
  fc.assert(
    fc.property(entries, (list) => {
      const aggregator = new RecordAggregator()
      for (const { data, ...rest } of list) aggregator.addUserRecord({ ...rest, data: Buffer.from(data) })
      const encoded = aggregator.build()
      const aggregate = decodeAggregate(encoded.data, md5) as Aggregate
      const read: AggregateEntry[] = Array.from({ length: aggregate.count }, (_, index) => {
        const explicitHashKey = aggregate.explicitHashKey(index)
        return {
          partitionKey: aggregate.partitionKey(index),
          ...(explicitHashKey !== undefined && { explicitHashKey }),
          data: aggregate.data(index),
        }
      })
      expect(read).toEqual(list)
    }),
  )
})

function theirs(data: Uint8Array): readonly TheirRecord[] {
  let result: readonly TheirRecord[] = []
  const record = { data: Buffer.from(data).toString('base64'), partitionKey: 'a', sequenceNumber: '1' }
  deaggregateSync(record, true, (error, records) => {
    if (error) throw error
    result = records
  })
  return result
}
