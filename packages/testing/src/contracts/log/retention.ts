import { expect } from 'vitest'
import type { ContractTest, Subject } from '../support/contract-test.ts'
import {
  entry,
  HOUR_MS,
  onlyShard,
  readFirst,
  readOn,
  request,
  spec,
  store,
  textOf,
} from '../support/log-samples.ts'

export function retentionTests(test: ContractTest): void {
  test(
    'records past retention are removed, and a reader that asks for them learns how many',
    async (subject) => {
      const { engine } = subject
      await engine.log.createStream(spec('orders', { retentionMs: HOUR_MS }))
      const { shardId } = await onlyShard(engine.log, 'orders')
      const old = []
      for (const text of ['a', 'b', 'c']) old.push(...(await store(engine.log, 'orders', [entry('k', text)])))
      await subject.leap(2 * HOUR_MS)
      await store(engine.log, 'orders', [entry('k', 'new')])
      await removed(subject, shardId, 'new')
      const numbers = old.map((one) => one.sequenceNumber)
      const at = await readFirst(
        engine.log,
        request('orders', shardId, {
          from: { at: 'at_sequence_number', sequenceNumber: numbers[0] ?? '' },
        }),
      )
      expect([at.records.map(textOf), at.expiredRecords]).toEqual([['new'], 3])
      const after = await readFirst(
        engine.log,
        request('orders', shardId, {
          from: { at: 'after_sequence_number', sequenceNumber: numbers[1] ?? '' },
        }),
      )
      expect([after.records.map(textOf), after.expiredRecords]).toEqual([['new'], 1])
      const reader = await readOn(engine.log, request('orders', shardId))
      expect(reader.last.expiredRecords).toBe(0)
    },
    { needs: 'leap' },
  )

  test(
    'a record younger than retention is kept',
    async (subject) => {
      const { engine } = subject
      await engine.log.createStream(spec('orders', { retentionMs: 3 * HOUR_MS }))
      const { shardId } = await onlyShard(engine.log, 'orders')
      await store(engine.log, 'orders', [entry('k', 'kept')])
      await subject.leap(2 * HOUR_MS)
      const { records } = await readOn(engine.log, request('orders', shardId))
      expect(records.map(textOf)).toEqual(['kept'])
    },
    { needs: 'leap' },
  )

  test(
    'a shorter retention counts from now on',
    async (subject) => {
      const { engine } = subject
      await engine.log.createStream(spec('orders', { retentionMs: 48 * HOUR_MS }))
      const { shardId } = await onlyShard(engine.log, 'orders')
      await store(engine.log, 'orders', [entry('k', 'old')])
      await subject.leap(2 * HOUR_MS)
      await engine.log.setRetention('orders', HOUR_MS)
      await subject.leap(1)
      await store(engine.log, 'orders', [entry('k', 'new')])
      await removed(subject, shardId, 'new')
    },
    { needs: 'leap' },
  )

  test(
    'sequence numbers go on when everything before them was removed',
    async (subject) => {
      const { engine } = subject
      await engine.log.createStream(spec('orders', { retentionMs: HOUR_MS }))
      const { shardId } = await onlyShard(engine.log, 'orders')
      const [old] = await store(engine.log, 'orders', [entry('k', 'old')])
      await subject.leap(2 * HOUR_MS)
      const [fresh] = await store(engine.log, 'orders', [entry('k', 'new')])
      expect(BigInt(fresh?.sequenceNumber ?? 0)).toBeGreaterThan(BigInt(old?.sequenceNumber ?? 0))
      await removed(subject, shardId, 'new')
    },
    { needs: 'leap' },
  )
}

/** Retention may work in steps: waits until `first` is the first record kept. */
async function removed(subject: Subject, shardId: string, first: string): Promise<void> {
  await subject.eventually('the old records to be removed', async () => {
    const { records } = await readOn(subject.engine.log, request('orders', shardId))
    return records[0] !== undefined && textOf(records[0]) === first ? true : undefined
  })
}
