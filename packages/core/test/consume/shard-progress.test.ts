import { expect, test } from 'vitest'
import type { UserRecord } from '../../src/aggregate/user-record.ts'
import { ResolvedMap } from '../../src/consume/resolved-map.ts'
import { ShardProgress } from '../../src/consume/shard-progress.ts'

function record(sequenceNumber: string, subSequenceNumber?: number): UserRecord {
  const of = { sequenceNumber, partitionKey: 'a', data: Uint8Array.of(1), arrivedAtMs: 0 }
  return subSequenceNumber === undefined ? of : { ...of, subSequenceNumber }
}

function after(sequenceNumber: string) {
  return { at: 'after_sequence_number', sequenceNumber } as const
}

test('behind a gap that retention made, reading goes on there, though an aggregate was read last before it (I2)', () => {
  const progress = new ShardProgress(new ResolvedMap(), { at: 'trim_horizon' }, { expiredRecords: 0 })
  for (const sub of [0, 1]) progress.resolve(progress.admit(record('100', sub)) as number, 1)
  progress.readTo(after('100'))
  expect(progress.from()).toEqual(after('100'))
  // Nothing is left in the shard: a start that read from before the gap would count it a second time.
  progress.skipExpired(50)
  progress.idleAt(after('150'))
  expect(progress.from()).toEqual(after('150'))
})

test('an aggregate that an earlier version counted as one record: none of its records passes for another that is resolved (I2)', () => {
  // Of the first record, which was the aggregate, nothing was done; the three after it were handled.
  const progress = new ShardProgress(new ResolvedMap([1, 3]), { at: 'trim_horizon' }, { expiredRecords: 0 })
  expect([0, 1, 2, 3, 4].map((sub) => progress.admit(record('100', sub)))).toEqual([0, 1, 2, 3, 4])
  expect(progress.from()).toEqual({ at: 'at_sequence_number', sequenceNumber: '100' })
})

test('after a start within aggregates what was resolved stays so: their records were counted one by one', () => {
  const before = { expiredRecords: 0, hasAggregates: true } as const
  const progress = new ShardProgress(new ResolvedMap([1, 2]), { at: 'trim_horizon' }, before)
  expect([0, 1, 2, 3].map((sub) => progress.admit(record('100', sub)))).toEqual([0, undefined, undefined, 3])
})
