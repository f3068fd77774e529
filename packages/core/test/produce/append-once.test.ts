import { describe, expect, it } from 'vitest'
import { StorageError } from '../../src/errors/engine-errors.ts'
import { decodeEvent } from '../../src/model/envelope.ts'
import { appendOnce } from '../../src/produce/append-once.ts'
import { world } from '../operate/support/fixture.ts'

async function setup() {
  const { log, clock } = world()
  await log.createStream({ name: 's', shardCount: 1, retentionMs: 86_400_000, durability: 'fsync' })
  log.calls.length = 0
  return { log, once: { log, clock, schema: undefined } }
}

const MARKS = { producerId: 'p', sequences: [1, 2, 3] }
const event = (key: string, data: unknown = 1) => ({ key, data })

describe('an append that is tried once', () => {
  it('is one call of the log, refused entries answered as they are', async () => {
    const { log, once } = await setup()
    log.script = (_, entry) =>
      entry.partitionKey === 'b'
        ? { ok: false, code: 'throttled', retryable: true, message: 'slow down' }
        : undefined
    const outcomes = await appendOnce(once, 's', [event('a'), event('b'), event('c')], MARKS)
    expect(outcomes).toMatchObject([
      { ok: true },
      { ok: false, code: 'throttled', retryable: true, message: 'slow down' },
      { ok: true },
    ])
    expect(log.calls).toHaveLength(1)
    expect(log.stored).toHaveLength(2)
  })

  it('marks each event with its own sequence, which is its id as well, and knows a copy', async () => {
    const { log, once } = await setup()
    const marks = { producerId: 'p', sequences: [7, 9] }
    const first = await appendOnce(once, 's', [event('a'), event('b')], marks)
    const again = await appendOnce(once, 's', [event('b')], { producerId: 'p', sequences: [9] })
    expect(first).toMatchObject([
      { id: 'p/7', duplicate: false },
      { id: 'p/9', duplicate: false },
    ])
    expect(again).toMatchObject([{ id: 'p/9', duplicate: true }])
    expect(log.stored.map(({ data }) => decodeEvent(data).id)).toEqual(['p/7', 'p/9'])
  })

  it('answers an invalid event in its place and appends the others', async () => {
    const { log, once } = await setup()
    const outcomes = await appendOnce(
      once,
      's',
      [event(''), event('b'), { key: 'c', data: undefined }],
      MARKS,
    )
    expect(outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.code))).toEqual([
      'EDDY_INVALID_EVENT',
      'ok',
      'EDDY_INVALID_EVENT',
    ])
    expect(log.calls).toHaveLength(1)
    expect(await appendOnce(once, 's', [event('')])).toMatchObject([{ ok: false }])
    expect(log.calls).toHaveLength(1)
  })

  it('passes on what ends the call: whoever sent it sends it again', async () => {
    const { log, once } = await setup()
    log.afterAppend = () => {
      throw new StorageError('the disk is away')
    }
    await expect(appendOnce(once, 's', [event('a')])).rejects.toMatchObject({ code: 'EDDY_STORAGE' })
    expect(log.calls).toHaveLength(1)
  })
})
