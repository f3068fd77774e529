import { describe, expect, it } from 'vitest'
import { StorageError } from '../../src/errors/engine-errors.ts'
import { decodeEvent } from '../../src/model/envelope.ts'
import { gate, numbered, setup, stored, throttled, turns, upTo } from './support/producing.ts'

describe('what a producer sends when', () => {
  it('sends several batches at a time, and no more than it may', async () => {
    const { log, producer } = setup({ maxInFlight: 3 })
    const held = gate(log)
    const producing = producer.produce('orders', numbered(5_000))
    await turns()
    expect(held.waiting).toBe(3)
    held.open()
    expect(await producing).toMatchObject({ accepted: 5_000, batches: 10 })
  })

  it('never has records of a key in two batches at a time (I3)', async () => {
    const { log, producer } = setup()
    const held = gate(log)
    const producing = producer.produce(
      'orders',
      numbered(2_000, (n) => `k${n % 700}`),
    )
    await turns()
    const underWay = log.calls.map((call) => new Set(call.entries.map((entry) => entry.partitionKey)))
    expect(underWay.length).toBe(2)
    expect([...(underWay[0] as Set<string>)].filter((key) => underWay[1]?.has(key))).toEqual([])
    held.open()
    await producing
    const last = new Map<number, number>()
    for (const n of stored(log)) {
      expect(n).toBeGreaterThan(last.get(n % 700) ?? -1)
      last.set(n % 700, n)
    }
  })

  it('holds one record of a key at a time where the log may refuse one entry and take the next (I3)', async () => {
    const { log, producer } = setup()
    log.keepsKeyOrder = false
    let refusals = 0
    log.script = () => {
      refusals += 1
      return refusals % 3 === 0 ? throttled : undefined
    }
    await producer.produce(
      'orders',
      numbered(200, (n) => `k${n % 5}`),
    )
    for (const { entries } of log.calls)
      expect(new Set(entries.map((entry) => entry.partitionKey)).size).toBe(entries.length)
    for (let key = 0; key < 5; key += 1) {
      expect(stored(log).filter((n) => n % 5 === key)).toEqual(upTo(40).map((n) => n * 5 + key))
    }
  })

  it('with ordering "none" nothing waits for a record that failed', async () => {
    const { log, producer } = setup()
    log.script = (_call, _entry, index) => (log.calls.length === 1 && index === 0 ? throttled : undefined)
    const report = await producer.produce(
      'orders',
      numbered(500, () => 'one'),
      { ordering: 'none', maxBufferedRecords: 100 },
    )
    expect(report).toMatchObject({ end: 'done', accepted: 500 })
    expect(new Set(stored(log)).size).toBe(500)
    // What failed first came last.
    expect(stored(log)[0]).toBeGreaterThan(0)
  })

  it('with ordering "strict" sends one at a time a shard, each after the last of it', async () => {
    const { log, producer } = setup()
    let refusals = 0
    log.script = () => {
      refusals += 1
      return refusals % 4 === 0 ? throttled : undefined
    }
    const report = await producer.produce('orders', numbered(30), { ordering: 'strict' })
    expect(report.accepted).toBe(30)
    expect(stored(log)).toEqual(upTo(30))
    for (const { entries } of log.calls) expect(entries).toHaveLength(1)
    expect(log.stored.map((entry) => entry.orderedAfter)).toEqual([
      undefined,
      ...upTo(29, 1).map((sequence) => String(sequence)),
    ])
  })

  it('marks events on a log that does not drop copies, and resends them with the same mark', async () => {
    const { log, producer } = setup()
    log.dropsCopies = false
    log.afterAppend = () => {
      if (log.calls.length === 1) throw new StorageError('the answer was lost')
    }
    await producer.produce('orders', numbered(3))
    const marksOf = (call: number): unknown[] =>
      (log.calls[call]?.entries ?? []).map((entry) => {
        const { eddyproducer, eddysequence } = decodeEvent(entry.data)
        return [eddyproducer, eddysequence]
      })
    expect(marksOf(0).map((mark) => (mark as unknown[])[1])).toEqual(['0', '1', '2'])
    expect(marksOf(1)).toEqual(marksOf(0))
    await producer.append('orders', [{ key: 'a', data: {} }], { producerId: 'ctx/1/2', firstSequence: 7 })
    expect(marksOf(2)).toEqual([['ctx/1/2', '7']])
  })

  it('asks again for limits that the log does not tell at first', async () => {
    const { log, producer } = setup()
    const describe = log.describeStream.bind(log)
    let asked = 0
    log.describeStream = async (name) => {
      asked += 1
      if (asked < 3) throw new StorageError('not now')
      return await describe(name)
    }
    expect(await producer.append('orders', [...numbered(2)])).toHaveLength(2)
    expect(asked).toBe(3)
  })
})
