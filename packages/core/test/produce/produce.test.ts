import { describe, expect, it } from 'vitest'
import { StreamNotFoundError } from '../../src/errors/stream-errors.ts'
import type { NewEvent } from '../../src/model/event.ts'
import type { AppendOutcome } from '../../src/operate/operations.ts'
import type { ProduceProgress, ProduceReport } from '../../src/produce/produce-options.ts'
import {
  caught,
  gate,
  internal,
  later,
  numbered,
  numberOf,
  remainderOf,
  setup,
  stored,
  throttled,
  turns,
  upTo,
} from './support/producing.ts'

describe('produce', () => {
  it.each([
    ['an iterable', (events: Iterable<NewEvent>) => events],
    ['an async iterable', later],
  ])('appends everything that %s gives, and tells every fate once', async (_what, sourceOf) => {
    const { log, producer } = setup()
    const told: number[] = []
    const report = await producer.produce('orders', sourceOf(numbered(3_210)), {
      onOutcome: (outcome, index, event) => {
        expect(outcome.ok).toBe(true)
        expect(numberOf(event)).toBe(index)
        told.push(index)
      },
    })
    expect(stored(log)).toEqual(upTo(3_210))
    expect(told.sort((a, b) => a - b)).toEqual(upTo(3_210))
    expect(report).toMatchObject({
      end: 'done',
      read: 3_210,
      accepted: 3_210,
      failed: 0,
      resent: 0,
      throttled: 0,
    })
    expect(report.batches).toBe(log.calls.length)
    expect(await remainderOf(report)).toEqual([])
  })

  it('reads no further than its buffer allows, in records and in bytes (I6)', async () => {
    const { log, producer } = setup()
    const held = gate(log)
    let read = 0
    const counted = function* (): Generator<NewEvent> {
      for (const event of numbered(5_000)) {
        read += 1
        yield event
      }
    }
    const byRecords = producer.produce('orders', counted(), { maxBufferedRecords: 700 })
    await turns()
    expect(read).toBe(700)
    held.open()
    expect(await byRecords).toMatchObject({ end: 'done', accepted: 5_000 })

    const again = gate(log)
    read = 0
    const byBytes = producer.produce('orders', counted(), { maxBufferedBytes: 20_000 })
    await turns()
    expect(read).toBeGreaterThan(50)
    expect(read).toBeLessThan(200)
    again.open()
    expect(await byBytes).toMatchObject({ end: 'done', accepted: 5_000 })
  })

  it('waits for a slow onOutcome, one at a time, and lets it hold up the source (I6)', async () => {
    const { producer } = setup()
    let read = 0
    const source = function* (): Generator<NewEvent> {
      for (const event of numbered(300)) {
        read += 1
        yield event
      }
    }
    let running = 0
    let most = 0
    let furthest = 0
    let told = 0
    await producer.produce('orders', source(), {
      maxBufferedRecords: 20,
      onOutcome: async () => {
        running += 1
        most = Math.max(most, running)
        await Promise.resolve()
        told += 1
        furthest = Math.max(furthest, read - told)
        running -= 1
      },
    })
    expect({ most, told }).toEqual({ most: 1, told: 300 })
    expect(furthest).toBeLessThanOrEqual(20)
  })

  it('tells its progress after each batch and at the end', async () => {
    const { producer } = setup()
    const seen: ProduceProgress[] = []
    await producer.produce('orders', numbered(1_200), { onProgress: (progress) => seen.push(progress) })
    expect(seen.at(-1)).toEqual({
      read: 1_200,
      accepted: 1_200,
      failed: 0,
      resent: 0,
      throttled: 0,
      batches: 3,
      buffered: 0,
      bufferedBytes: 0,
    })
    expect(seen.length).toBeGreaterThanOrEqual(4)
    for (const { read, accepted, buffered } of seen) expect(accepted + buffered).toBe(read)
  })

  it('at the deadline sends nothing new, waits for what is under way, and returns the rest in order', async () => {
    const { log, clock, producer } = setup({ maxInFlight: 1 })
    const held = gate(log)
    const told: number[] = []
    const producing = producer.produce('orders', numbered(2_000), {
      deadlineMs: 1_000,
      maxBufferedRecords: 900,
      onOutcome: (_outcome, index) => void told.push(index),
    })
    await turns()
    expect(held.waiting).toBe(1)
    await clock.sleep(1_001)
    await turns()
    held.open()
    const report = await producing
    expect(report).toMatchObject({ end: 'deadline', read: 900, accepted: 500, failed: 0 })
    expect(stored(log)).toEqual(upTo(500))
    expect(told).toEqual(upTo(500))
    expect(await remainderOf(report)).toEqual(upTo(1_500, 500))
  })

  it('returns the rest of a source that gives nothing for ever', async () => {
    const { clock, producer } = setup()
    let give: () => void = () => undefined
    const source = async function* (): AsyncGenerator<NewEvent> {
      yield { key: 'a', data: { n: 0 } }
      await new Promise<void>((resolve) => {
        give = resolve
      })
      yield { key: 'a', data: { n: 1 } }
      yield { key: 'a', data: { n: 2 } }
    }
    const producing = producer.produce('orders', source(), { deadlineMs: 10 })
    await turns()
    await clock.sleep(11)
    const report = await producing
    expect(report).toMatchObject({ end: 'deadline', accepted: 1 })
    give()
    expect(await remainderOf(report)).toEqual([1, 2])
  })

  it('an item that is prepared while the call ends is in the remainder', async () => {
    const { log, producer } = setup()
    const ending = new AbortController()
    let prepare: () => void = () => undefined
    const producing = producer.produceItems(
      'orders',
      [0, 1],
      async (n) => {
        await new Promise<void>((resolve) => {
          prepare = resolve
        })
        return { ok: true, record: { key: 'a', data: new Uint8Array([n]) } }
      },
      { signal: ending.signal },
    )
    await turns()
    ending.abort()
    prepare()
    const report = await producing
    const rest: number[] = []
    for await (const n of report.remainder) rest.push(n)
    expect({ rest, stored: log.stored.length }).toEqual({ rest: [0, 1], stored: 0 })
  })

  it('ends with as many records buffered as a hot shard may leave behind, all of them in the remainder', async () => {
    const { log, producer } = setup()
    const ending = new AbortController()
    const held = gate(log)
    function* events() {
      yield* numbered(200_000)
      ending.abort()
      held.open()
    }
    const report = await producer.produce('orders', events(), {
      maxBufferedRecords: 1_000_000,
      maxBufferedBytes: 1e9,
      signal: ending.signal,
    })
    expect(report).toMatchObject({ end: 'aborted', read: 200_000, failed: 0 })
    expect(report.accepted + (await remainderOf(report)).length).toBe(200_000)
  })

  it('ends as told by a signal; leaving the remainder early closes the source', async () => {
    const { producer } = setup()
    const ending = new AbortController()
    let isClosed = false
    const source = function* (): Generator<NewEvent> {
      try {
        yield* numbered(10_000)
      } finally {
        isClosed = true
      }
    }
    const report = await producer.produce('orders', source(), {
      maxBufferedRecords: 100,
      signal: ending.signal,
      onOutcome: (_outcome, index) => {
        if (index === 250) ending.abort()
      },
    })
    expect(report.end).toBe('aborted')
    expect(report.accepted).toBeLessThan(500)
    expect(isClosed).toBe(false)
    for await (const event of report.remainder) {
      expect(numberOf(event)).toBe(report.accepted)
      break
    }
    expect(isClosed).toBe(true)
    const before = await producer.produce('orders', numbered(3), { signal: ending.signal })
    expect(before).toMatchObject({ end: 'aborted', read: 0 })
    expect(await remainderOf(before)).toEqual([0, 1, 2])
  })

  it('says of a record without an answer at the end that it may be stored, and keeps it out of the remainder', async () => {
    const { log, clock, producer } = setup({ initialDelayMs: 10_000, maxDelayMs: 10_000 })
    log.script = (_call, _entry, index) => (index === 0 ? internal : index === 1 ? throttled : undefined)
    const outcomes = new Map<number, AppendOutcome>()
    const producing = producer.produce('orders', numbered(3), {
      deadlineMs: 5,
      onOutcome: (outcome, index) => void outcomes.set(index, outcome),
    })
    await turns()
    await clock.sleep(6)
    const report = await producing
    expect([...outcomes.keys()].sort()).toEqual([0, 2])
    expect(outcomes.get(0)).toMatchObject({ ok: false, retryable: true, mayBeStored: true })
    expect(await remainderOf(report)).toEqual([1])
  })

  it('a source that throws ends it: what was read is settled or in the remainder (I9)', async () => {
    const { log, producer } = setup()
    const source = function* (): Generator<NewEvent> {
      yield* numbered(40)
      throw new Error('the file is gone')
    }
    const told: number[] = []
    const error = await caught(
      producer.produce('orders', source(), { onOutcome: (_outcome, index) => void told.push(index) }),
    )
    expect(error.message).toMatch(/the source failed: the file is gone/)
    expect(error.cause).toBeInstanceOf(Error)
    const rest = await remainderOf(error.report as ProduceReport<NewEvent>)
    expect([...told, ...rest].sort((a, b) => a - b)).toEqual(upTo(40))
    expect(stored(log)).toEqual(told)
  })

  it('an onOutcome that throws ends it; what is under way is told all the same (I9)', async () => {
    const { producer } = setup()
    const told: number[] = []
    const error = await caught(
      producer.produce('orders', numbered(5_000), {
        maxBufferedRecords: 600,
        onOutcome: (_outcome, index) => {
          told.push(index)
          if (index === 10) throw new Error('no room on the disk')
        },
      }),
    )
    expect(error.message).toMatch(/onOutcome failed: no room on the disk/)
    expect(told.length).toBe(error.report.accepted)
    const rest = await remainderOf(error.report as ProduceReport<NewEvent>)
    expect([...told, ...rest]).toEqual(upTo(5_000))
  })

  it('an error that no record can escape ends it, with what was accepted before', async () => {
    const { log, producer } = setup({ maxInFlight: 1 })
    log.afterAppend = () => {
      if (log.calls.length > 1) throw new StreamNotFoundError('orders')
    }
    const error = await caught(producer.produce('orders', numbered(1_400)))
    expect(error.cause).toBeInstanceOf(StreamNotFoundError)
    expect(error.report).toMatchObject({ accepted: 500, failed: 500 })
    expect(await remainderOf(error.report as ProduceReport<NewEvent>)).toEqual(upTo(400, 1_000))
    const unknown = await caught(producer.produce('nowhere', numbered(2)))
    expect(unknown.cause).toBeInstanceOf(StreamNotFoundError)
  })

  it.each([5, 'text', undefined, { key: 'a', data: 1 }])('refuses %o as a source', async (source) => {
    const { producer } = setup()
    await expect(producer.produce('orders', source as never)).rejects.toThrow(/^source: expected an array/)
  })

  it('refuses invalid items alone; what prepare throws is the item’s outcome', async () => {
    const { log, producer } = setup()
    const outcomes: AppendOutcome[] = []
    const lines = ['{"n":0}', 'no json', '{"n":2}']
    const report = await producer.produceItems(
      'orders',
      lines,
      (line, { id }) => {
        const data = new TextEncoder().encode(JSON.stringify(JSON.parse(line)))
        return { ok: true, record: { key: 'a', data, id: `line-${id}` } }
      },
      {
        producerId: 'import',
        firstSequence: 10,
        onOutcome: (outcome, index) => {
          outcomes[index] = outcome
        },
      },
    )
    expect(report).toMatchObject({ accepted: 2, failed: 1 })
    expect(outcomes[0]).toMatchObject({ ok: true, id: 'line-import/10' })
    expect(outcomes[1]).toMatchObject({ ok: false, retryable: true })
    // A refused item keeps its place in the sequence, so that a second run repeats the same numbers.
    expect(log.stored.map((entry) => [entry.producerId, entry.producerSequence])).toEqual([
      ['import', 10],
      ['import', 12],
    ])
    const copy = await producer.produce('orders', [{ key: 'a', data: 1 }], {
      producerId: 'import',
      firstSequence: 12,
    })
    expect(copy.accepted).toBe(1)
    expect(log.stored).toHaveLength(2)
  })

  it.each([
    [{ maxBufferedRecords: 0 }, /maxBufferedRecords/],
    [{ maxBufferedBytes: 5 }, /maxBufferedBytes/],
    [{ deadlineMs: -1 }, /deadlineMs/],
    [{ ordering: 'keys' as 'key' }, /ordering/],
    [{ producerId: 'x' }, /firstSequence/],
  ])('refuses the options %j', async (options, message) => {
    const { producer } = setup()
    await expect(producer.produce('orders', [], options)).rejects.toThrow(message)
  })
})
