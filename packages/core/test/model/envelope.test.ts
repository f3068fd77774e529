import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeEvent,
  encodeEvent,
  InvalidEventError,
  isCloudEvent,
  type NewEvent,
  UndecodableEventError,
} from '../../src/index.ts'

const context = { stream: 'orders', id: 'made-up', nowMs: Date.UTC(2026, 0, 31, 12) }
const bytes = (text: string) => new TextEncoder().encode(text)
const roundTrip = (event: NewEvent) => decodeEvent(encodeEvent(event, context))

describe('encodeEvent', () => {
  test('fills in what the producer left out', () => {
    expect(roundTrip({ key: 'k', data: { a: 1 } })).toEqual({
      specversion: '1.0',
      id: 'made-up',
      source: 'eddy',
      type: 'orders.event',
      time: '2026-01-31T12:00:00.000Z',
      datacontenttype: 'application/json',
      partitionkey: 'k',
      data: { a: 1 },
    })
  })

  test('keeps what the producer states', () => {
    const event = {
      key: 'k',
      data: null,
      id: 'e-1',
      source: '/shop',
      type: 'order.placed',
      subject: 'order/1',
      time: '2020-02-03T04:05:06+01:00',
      dataschema: 'https://example.com/order.json',
    }
    const { key, ...attributes } = event
    expect(roundTrip({ ...event, extensions: { tenant: 'a', retries: 2, test: true } })).toMatchObject({
      ...attributes,
      partitionkey: key,
      tenant: 'a',
      retries: 2,
      test: true,
    })
  })

  test('any JSON data comes back as it was', () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 100 }),
        (data, key) => {
          const plain: unknown = JSON.parse(JSON.stringify(data))
          expect(roundTrip({ key, data: plain })).toMatchObject({ partitionkey: key, data: plain })
        },
      ),
    )
  })

  test('records of all sizes stay what they were while others are encoded', () => {
    const sizes = [0, 1, 100, 5_000, 5_461, 5_500, 20_000, 70_000, 1, 100]
    const texts = Array.from({ length: 20 }, (_, round) =>
      sizes.map((size) => 'é'.repeat(size) + round),
    ).flat()
    const records = texts.map((data) => encodeEvent({ key: 'k', data }, context))
    expect(records.map((record) => decodeEvent(record).data)).toEqual(texts)
  })

  const cyclic: Record<string, unknown> = {}
  cyclic.self = cyclic
  test.each<[string, unknown]>([
    ['key', { data: 1 }],
    ['key', { key: '', data: 1 }],
    ['key', { key: 'x'.repeat(257), data: 1 }],
    ['key', { key: 5, data: 1 }],
    ['key', { key: 'a\uD800', data: 1 }],
    ['partitionKey', { partitionKey: 'k', data: 1 }],
    ['dta', { key: 'k', dta: 1 }],
    ['data', { key: 'k' }],
    ['data', { key: 'k', data: () => 1 }],
    ['data', { key: 'k', data: 1n }],
    ['data', { key: 'k', data: { deep: [1n] } }],
    ['data', { key: 'k', data: cyclic }],
    ['data', { key: 'k', data: Number.NaN }],
    ['data', { key: 'k', data: new Uint8Array(3) }],
    ['data', { key: 'k', data: new Map([[1, 2]]) }],
    ['data', { key: 'k', data: Promise.resolve(1) }],
    [
      'data',
      {
        key: 'k',
        data: {
          toJSON() {
            throw new Error('no')
          },
        },
      },
    ],
    ['data', { key: 'k', data: { toJSON: () => undefined } }],
    ['id', { key: 'k', data: 1, id: '' }],
    ['id', { key: 'k', data: 1, id: 5 }],
    ['type', { key: 'k', data: 1, type: 'x'.repeat(1_025) }],
    ['source', { key: 'k', data: 1, source: null }],
    ['subject', { key: 'k', data: 1, subject: '' }],
    ['time', { key: 'k', data: 1, time: 'yesterday' }],
    ['time', { key: 'k', data: 1, time: '2026-13-01T00:00:00Z' }],
    ['time', { key: 'k', data: 1, time: new Date(0) }],
    ['explicitHashKey', { key: 'k', data: 1, explicitHashKey: '340282366920938463463374607431768211456' }],
    ['explicitHashKey', { key: 'k', data: 1, explicitHashKey: '01' }],
    ['extensions', { key: 'k', data: 1, extensions: [] }],
    ['extensions.Tenant', { key: 'k', data: 1, extensions: { Tenant: 'a' } }],
    ['extensions.data', { key: 'k', data: 1, extensions: { data: 'a' } }],
    ['extensions.partitionkey', { key: 'k', data: 1, extensions: { partitionkey: 'a' } }],
    ['extensions.tenant', { key: 'k', data: 1, extensions: { tenant: {} } }],
    ['extensions.tenant', { key: 'k', data: 1, extensions: { tenant: Number.POSITIVE_INFINITY } }],
  ])('names the field %s of an event that cannot be appended', (field, event) => {
    const encode = () => encodeEvent(event as NewEvent, context)
    expect(encode).toThrow(InvalidEventError)
    expect(encode).toThrow(expect.objectContaining({ details: { field } }))
  })

  test.each([[null], [undefined], ['text'], [[]]])('refuses %j for an event', (event) => {
    expect(() => encodeEvent(event as never, context)).toThrow(InvalidEventError)
  })
})

describe('decodeEvent', () => {
  test.each([
    ['bytes that are not UTF-8', new Uint8Array([0x7b, 0xff, 0x7d]), 'not UTF-8'],
    ['nothing', new Uint8Array(), 'not JSON'],
    ['other text', bytes('hello'), 'not JSON'],
    ['JSON that is no object', bytes('[1]'), 'not a JSON object'],
    ['null', bytes('null'), 'not a JSON object'],
    ['another version', bytes('{"specversion":"0.3","id":"1","source":"s","type":"t"}'), 'specversion'],
    ['no id', bytes('{"specversion":"1.0","source":"s","type":"t"}'), 'id: expected'],
    ['an empty source', bytes('{"specversion":"1.0","id":"1","source":"","type":"t"}'), 'source: expected'],
    [
      'a type that is a number',
      bytes('{"specversion":"1.0","id":"1","source":"s","type":5}'),
      'type: expected',
    ],
  ])('refuses %s', (_name, record, problem) => {
    expect(() => decodeEvent(record)).toThrow(UndecodableEventError)
    expect(() => decodeEvent(record)).toThrow(problem)
  })

  test('does not quote the payload', () => {
    expect(() => decodeEvent(bytes('secret-token-4711'))).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('secret') }),
    )
  })

  test('throws nothing else, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.json().map(bytes)), (record) => {
        try {
          expect(isCloudEvent(decodeEvent(record))).toBe(true)
        } catch (error) {
          expect(error).toBeInstanceOf(UndecodableEventError)
        }
      }),
    )
  })
})
