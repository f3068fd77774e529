import type { StandardSchemaV1 } from '@standard-schema/spec'
import { describe, expect, it } from 'vitest'
import { StorageError } from '../../src/errors/engine-errors.ts'
import { StreamNotFoundError } from '../../src/errors/stream-errors.ts'
import { decodeEvent } from '../../src/model/envelope.ts'
import type { NewEvent } from '../../src/model/event.ts'
import type { AppendEntry, AppendResult } from '../../src/ports/log.ts'
import { Producer, type ProducerOptions } from '../../src/produce/producer.ts'
import { world } from '../operate/support/fixture.ts'
import type { MemoryLog } from '../operate/support/memory-log.ts'

const throttled: AppendResult = { ok: false, code: 'throttled', retryable: true, message: 'slow down' }

function setup(options: Partial<ProducerOptions> = {}) {
  const { log, clock, engine } = world()
  // There at once: the memory log is synchronous but for its promises.
  void log.createStream({ name: 'orders', shardCount: 1, retentionMs: 86_400_000, durability: 'fsync' })
  return { log, clock, producer: new Producer({ log, clock, md5Hex: engine.md5Hex, ...options }) }
}

function events(count: number, key: (n: number) => string = (n) => `k${n}`): NewEvent[] {
  return Array.from({ length: count }, (_, n) => ({ key: key(n), data: { n } }))
}

/** What was stored, as the events' `data.n`. */
function storedNumbers(log: MemoryLog): number[] {
  return log.stored.map((entry) => (decodeEvent(entry.data).data as { n: number }).n)
}

describe('Producer', () => {
  it('appends in batches of at most 500 entries and answers in request order', async () => {
    const { log, producer } = setup()
    const outcomes = await producer.append('orders', events(1_201))
    expect(log.calls.map((call) => call.entries.length)).toEqual([500, 500, 201])
    expect(outcomes).toHaveLength(1_201)
    expect(outcomes.every((outcome) => outcome.ok)).toBe(true)
    expect(storedNumbers(log)).toEqual(Array.from({ length: 1_201 }, (_, n) => n))
  })

  it('keeps a batch within 10 MiB', async () => {
    const { log, producer } = setup()
    const big = 'x'.repeat(4 * 1024 * 1024)
    const outcomes = await producer.append(
      'orders',
      Array.from({ length: 5 }, (_, n) => ({ key: `k${n}`, data: big })),
    )
    expect(log.calls.map((call) => call.entries.length)).toEqual([2, 2, 1])
    expect(outcomes.every((outcome) => outcome.ok)).toBe(true)
  })

  it('refuses invalid, oversize and off-schema events alone, each with its code', async () => {
    const { log, producer } = setup({ schemaOf: () => amounts })
    const outcomes = await producer.append('orders', [
      { key: 'a', data: { amount: 1 } },
      { key: '', data: { amount: 1 } },
      { key: 'a', data: { amount: 'many' } },
      { key: 'a', data: { amount: 2, note: 'x'.repeat(11 * 1024 * 1024) } },
      null as unknown as NewEvent,
      { key: 'a', data: { amount: 3 } },
    ])
    expect(outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.code))).toEqual([
      'ok',
      'EDDY_INVALID_EVENT',
      'EDDY_SCHEMA_MISMATCH',
      'EDDY_RECORD_TOO_LARGE',
      'EDDY_INVALID_EVENT',
      'ok',
    ])
    expect(log.stored).toHaveLength(2)
  })

  it('waits for an asynchronous schema', async () => {
    const slow: StandardSchemaV1 = schema(async (data) => (data === 1 ? undefined : 'not one'))
    const { log, producer } = setup({ schemaOf: () => slow })
    const outcomes = await producer.append('orders', [
      { key: 'a', data: 1 },
      { key: 'a', data: 2 },
    ])
    expect(outcomes.map((outcome) => outcome.ok)).toEqual([true, false])
    expect(log.stored).toHaveLength(1)
  })

  it('gives every event a version 4 UUID, and keeps an id that the author states', async () => {
    const { producer } = setup()
    const [given, ...made] = await producer.append('orders', [
      { key: 'a', data: 1, id: 'mine' },
      ...events(50),
    ])
    expect(given).toMatchObject({ ok: true, id: 'mine' })
    const ids = made.map((outcome) => (outcome.ok ? outcome.id : ''))
    expect(new Set(ids).size).toBe(50)
    for (const id of ids)
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  it('sends again only what failed retryably, after growing waits', async () => {
    const { log, producer } = setup()
    log.script = (_call, entry) =>
      entry.partitionKey === 'k1' && log.calls.length < 4 ? throttled : undefined
    const outcomes = await producer.append('orders', events(3))
    expect(outcomes.every((outcome) => outcome.ok)).toBe(true)
    expect(log.calls.map((call) => call.entries.map((entry) => entry.partitionKey))).toEqual([
      ['k0', 'k1', 'k2'],
      ['k1'],
      ['k1'],
      ['k1'],
    ])
    const waits = log.calls.slice(1).map((call, index) => call.atMs - (log.calls[index]?.atMs ?? 0))
    for (const [index, waitMs] of waits.entries()) expect(waitMs).toBeLessThanOrEqual(50 * 2 ** index)
  })

  it.each([1, 2, 3])('lets no event of a key overtake one that failed %d times (I3)', async (times) => {
    const { log, producer } = setup()
    let failing = times
    // The engine fails the whole key until it recovers; other keys of the same batches go on.
    log.script = (_call, entry) => (entry.partitionKey === 'slow' && failing > 0 ? throttled : undefined)
    log.afterAppend = () => {
      failing -= 1
    }
    const outcomes = await producer.append(
      'orders',
      events(1_500, (n) => (n % 10 === 0 ? 'slow' : `k${n}`)),
    )
    expect(outcomes.every((outcome) => outcome.ok)).toBe(true)
    const slow = storedNumbers(log).filter((n) => n % 10 === 0)
    expect(slow).toEqual(Array.from({ length: 150 }, (_, n) => n * 10))
  })

  it('keeps the order of a key over calls that overlap (I3)', async () => {
    const { log, producer } = setup()
    let failing = true
    log.script = (_call, entry) => (entry.partitionKey === 'a' && failing ? throttled : undefined)
    log.afterAppend = () => {
      failing = log.calls.length < 3
    }
    const first = producer.append('orders', [{ key: 'a', data: { n: 1 } }])
    const second = producer.append('orders', [
      { key: 'a', data: { n: 2 } },
      { key: 'b', data: { n: 3 } },
    ])
    await Promise.all([first, second])
    expect(storedNumbers(log)).toEqual([3, 1, 2])
  })

  it('a later call waits behind a long one that has its keys, and passes one that has not (I3)', async () => {
    const { log, producer } = setup()
    const long = producer.append(
      'orders',
      events(5_000, (n) => (n === 4_999 ? 'a' : `k${n}`)),
    )
    const other = producer.append('orders', [{ key: 'b', data: { n: -2 } }])
    const same = producer.append('orders', [{ key: 'a', data: { n: -1 } }])
    await Promise.all([long, other, same])
    const numbers = storedNumbers(log)
    expect(numbers.indexOf(-1)).toBeGreaterThan(numbers.indexOf(4_999))
    expect(numbers.indexOf(-2)).toBeLessThan(numbers.indexOf(4_999))
  })

  it('a later call waits behind one whose schema takes its time (I3)', async () => {
    const slow: StandardSchemaV1 = schema(async (data) => {
      if (data === 1) await new Promise((resolve) => setImmediate(resolve))
      return undefined
    })
    const { log, producer } = setup({ schemaOf: () => slow })
    const first = producer.append('orders', [{ key: 'a', data: 1 }])
    const second = producer.append('orders', [{ key: 'a', data: 2 }])
    await Promise.all([first, second])
    expect(log.stored.map((entry) => decodeEvent(entry.data).data)).toEqual([1, 2])
  })

  it('gives up after the stated tries and sends nothing of that key behind it', async () => {
    const { log, producer } = setup({ maxTries: 3 })
    log.script = (_call, entry) => (entry.partitionKey === 'a' ? throttled : undefined)
    const outcomes = await producer.append('orders', [
      { key: 'a', data: { n: 1 } },
      { key: 'b', data: { n: 2 } },
      ...events(2_500, (n) => (n === 2_400 ? 'a' : `k${n}`)),
    ])
    expect(outcomes[0]).toMatchObject({ ok: false, code: 'throttled', retryable: true })
    expect(outcomes[1]).toMatchObject({ ok: true })
    expect(outcomes[2_402]).toMatchObject({ ok: false, code: 'EDDY_PUBLISH', retryable: true })
    const isOfA = (entry: AppendEntry): boolean => entry.partitionKey === 'a'
    expect(log.calls.filter((call) => call.entries.some(isOfA))).toHaveLength(3)
  })

  it('gives up at the deadline', async () => {
    const { log, clock, producer } = setup({ giveUpAfterMs: 10, maxTries: 100, initialDelayMs: 40 })
    log.script = () => throttled
    const [outcome] = await producer.append('orders', events(1))
    expect(outcome).toMatchObject({ ok: false, retryable: true })
    expect(clock.monotonicMs()).toBeLessThanOrEqual(10)
  })

  it('lets the later events of a key go on past one that can never be stored', async () => {
    const { log, producer } = setup()
    log.script = (_call, _entry, index) =>
      index === 0 ? { ok: false, code: 'invalid', retryable: false, message: 'no' } : undefined
    const outcomes = await producer.append(
      'orders',
      events(3, () => 'a'),
    )
    expect(outcomes.map((outcome) => outcome.ok)).toEqual([false, true, true])
  })

  it('sends an event of unknown fate again under the same mark: no second copy', async () => {
    const { log, producer } = setup()
    log.afterAppend = () => {
      if (log.calls.length === 1) throw new StorageError('the answer was lost')
    }
    const outcomes = await producer.append('orders', events(3))
    expect(outcomes.map((outcome) => outcome.ok && outcome.duplicate)).toEqual([true, true, true])
    expect(storedNumbers(log)).toEqual([0, 1, 2])
    expect(log.calls).toHaveLength(2)
  })

  it('marks a repeated call of the same producer id and sequence as the first', async () => {
    const { log, producer } = setup()
    const mark = { producerId: 'importer-7', firstSequence: 100 }
    await producer.append('orders', events(3), mark)
    const again = await producer.append('orders', events(4), mark)
    expect(again.map((outcome) => outcome.ok && outcome.duplicate)).toEqual([true, true, true, false])
    expect(log.stored).toHaveLength(4)
    await expect(producer.append('orders', events(1), { producerId: 'x' })).rejects.toThrow(/firstSequence/)
    await expect(producer.append('orders', events(1), { firstSequence: 1 })).rejects.toThrow(/producerId/)
  })

  it('answers a repeated call with the ids that were stored', async () => {
    const { log, producer } = setup()
    const mark = { producerId: 'importer-7', firstSequence: 100 }
    const batch: NewEvent[] = [...events(2), { key: 'k', id: 'mine', data: {} }]
    const first = await producer.append('orders', batch, mark)
    const again = await producer.append('orders', batch, mark)
    const stored = log.stored.map((entry) => decodeEvent(entry.data).id)
    expect(stored).toEqual(['importer-7/100', 'importer-7/101', 'mine'])
    expect(first.map((outcome) => outcome.ok && outcome.id)).toEqual(stored)
    expect(again.map((outcome) => outcome.ok && outcome.id)).toEqual(stored)
  })

  it('throws what no event could escape', async () => {
    const { log, producer } = setup()
    log.afterAppend = () => {
      throw new StreamNotFoundError('orders')
    }
    await expect(producer.append('orders', events(2))).rejects.toThrow(StreamNotFoundError)
    // Nothing stays behind: a later call of the same keys is not kept waiting.
    log.afterAppend = () => undefined
    await expect(producer.append('orders', events(2))).resolves.toHaveLength(2)
  })
})

const amounts: StandardSchemaV1 = schema((data) =>
  typeof (data as { amount?: unknown }).amount === 'number' ? undefined : 'amount is not a number',
)

function schema(
  check: (data: unknown) => string | undefined | Promise<string | undefined>,
): StandardSchemaV1 {
  const resultOf = (data: unknown, message: string | undefined): StandardSchemaV1.Result<unknown> =>
    message === undefined ? { value: data } : { issues: [{ message }] }
  return {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (data) => {
        const message = check(data)
        return message instanceof Promise
          ? message.then((text) => resultOf(data, text))
          : resultOf(data, message)
      },
    },
  }
}
