import { type FailureOptions, list, RecordTooLargeError } from '@eddy/core'
import { describe, expect, test } from 'vitest'
import { event, oneSubscription, openHarness } from '../support/one-subscription.ts'

const MIB = 1_048_576
const retry = list([1_000])
const EVERY: readonly FailureOptions[] = [
  { blocks: 'nothing', retry },
  { blocks: 'key', exhausted: 'dead-letter', retry },
  { blocks: 'shard', exhausted: 'dead-letter', retry },
]

describe('a record that is no event', () => {
  test.each(EVERY)(
    'is dead-lettered at once, with its bytes and the reason; the stream goes on (%o, I2, I9)',
    async (failure) => {
      const h = await openHarness(oneSubscription(failure))
      const bytes = ['not JSON', '[]', '{"specversion":"1.0"}', '', '\u0000', '"\ud800"'].map((text) =>
        new TextEncoder().encode(text),
      )
      const raw = [...bytes, new Uint8Array([0xff, 0xfe, 0x00])]
      const writer = h.world.boot()
      await h.clock.settle(
        writer.log.append(
          'events',
          raw.map((data) => ({ partitionKey: 'a', data })),
        ),
      )
      await h.append('events', event('a', 'a1'))
      await h.settle()
      expect(h.calls('work').map((call) => call.eventId)).toEqual(['a1'])
      const dead = await h.deadLetters('work')
      expect(dead).toHaveLength(raw.length)
      expect(dead.every((item) => item.lastError?.code === 'EDDY_UNDECODABLE_EVENT')).toBe(true)
      expect(dead.every((item) => item.reason?.includes('not a CloudEvents JSON event') === true)).toBe(true)
      const oldest = await h.operations.showFailure(dead.at(-1)?.id as string)
      expect(oldest.payload).toMatchObject({ encoding: 'utf8', content: 'not JSON' })
    },
  )
})

describe('a payload of 10 MiB', () => {
  /** An event whose record is exactly of this many bytes. */
  function sized(recordBytes: number, text: string) {
    const make = (length: number) => ({
      ...event('a', 'big', text.repeat(length)),
      time: '2026-01-01T00:00:00Z',
    })
    return { make, lengthFor: (emptyBytes: number) => recordBytes - emptyBytes }
  }

  test.each(EVERY)(
    'waits in the ledger, is retried, dead-lettered, shown and redriven whole (%o, I2, I7)',
    async (failure) => {
      const seen: number[] = []
      const handle = (one: { readonly data: unknown }) => void seen.push((one.data as string).length)
      const h = await openHarness(oneSubscription(failure, { handle }))
      const { make, lengthFor } = sized(10 * MIB, 'x')
      await h.append('events', make(0))
      await h.settle()
      const emptyBytes = h.world.store.allRecords('events')[0]?.data.length as number
      const length = lengthFor(emptyBytes)
      h.fail('work', { attempts: 2, when: 'after' })
      const [outcome] = await h.append('events', { ...make(length), id: 'big' })
      expect(outcome).toMatchObject({ ok: true })
      expect(h.world.store.allRecords('events')[1]?.data.length).toBe(10 * MIB)
      await h.append('events', event('a', 'next', ''))
      await h.settle()
      const [dead] = (await h.deadLetters('work')).filter((item) => item.payloadBytes === 10 * MIB)
      expect(dead).toMatchObject({ attempts: 2, payloadBlob: expect.any(String) })
      const shown = await h.operations.showFailure(dead?.id as string)
      expect((JSON.parse(shown.payload?.content as string) as { data: string }).data).toHaveLength(length)
      h.heal('work')
      await h.operations.startRedrive({ ids: [dead?.id as string] }, { allowOutOfOrder: true })
      await h.settle()
      expect(seen.filter((one) => one === length)).toHaveLength(3)
      expect((await h.operations.showFailure(dead?.id as string)).item.status).toBe('resolved')
    },
  )

  test('one byte more is refused by name, and what stands beside it is stored (I9)', async () => {
    const h = await openHarness(oneSubscription({ retry }))
    const tooLarge = event('a', 'big', 'x'.repeat(10 * MIB))
    const [big, small] = await h.append('events', [tooLarge, event('b', 'b1')])
    expect(big).toMatchObject({ ok: false, code: new RecordTooLargeError(0, 0).code, retryable: false })
    expect(small).toMatchObject({ ok: true })
    await h.settle()
    expect(h.order('work', 'b')).toEqual(['b1'])
  })
})
