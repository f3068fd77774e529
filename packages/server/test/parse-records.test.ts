import { describe, expect, test } from 'vitest'
import { parseRecords } from '../src/records/parse-records.ts'
import type { RecordOptions } from '../src/records/parsed-record.ts'

const encoder = new TextEncoder()

function parse(body: string | Uint8Array, options: Partial<RecordOptions> = {}) {
  const bytes = typeof body === 'string' ? encoder.encode(body) : body
  return parseRecords(bytes, { format: 'json', raw: false, maxRecords: 500, ...options })
}

function only(body: string, options: Partial<RecordOptions> = {}) {
  const [record] = parse(body, options)
  return record?.ok === true ? record.event : record
}

const refusedWith = (text: string) =>
  expect.objectContaining({ ok: false, message: expect.stringContaining(text) })

describe('events', () => {
  test('a NewEvent keeps every member', () => {
    const event = {
      key: 'k',
      data: { a: 1 },
      type: 't',
      id: 'i',
      source: 's',
      subject: 'u',
      time: '2026-01-01T00:00:00Z',
      dataschema: 'urn:x',
      extensions: { trace: 'x', n: 1, b: true },
      explicitHashKey: '12',
    }
    expect(only(JSON.stringify(event))).toEqual(event)
  })

  test('a CloudEvents envelope: key from partitionkey, other members are extensions', () => {
    const envelope = {
      specversion: '1.0',
      id: 'i',
      source: 's',
      type: 't',
      partitionkey: 'k',
      datacontenttype: 'application/json; charset=utf-8',
      traceparent: '00-1',
      data: [1],
    }
    expect(only(JSON.stringify(envelope))).toEqual({
      key: 'k',
      id: 'i',
      source: 's',
      type: 't',
      data: [1],
      extensions: { traceparent: '00-1' },
    })
  })

  test('an envelope without data has null', () => {
    expect(only('{"specversion":"1.0","id":"i","source":"s","type":"t","partitionkey":"k"}')).toMatchObject({
      data: null,
    })
  })

  test('the key may come from a field, where the event states none', () => {
    expect(only('{"data":{"customer":{"id":7}}}', { keyField: 'data.customer.id' })).toMatchObject({
      key: '7',
    })
    expect(only('{"key":"own","data":{"id":7}}', { keyField: 'data.id' })).toMatchObject({ key: 'own' })
  })

  test.each([
    ['{"data":1}', '"key" is missing'],
    ['{"key":"k"}', '"data" is missing'],
    ['{"key":7,"data":1}', '1 to 256 characters'],
    ['{"key":"","data":1}', '1 to 256 characters'],
    [JSON.stringify({ key: 'k'.repeat(257), data: 1 }), '1 to 256 characters'],
    ['{"key":"k","data":1,"typ":"x"}', 'member "typ" is not known'],
    ['{"orderId":"o-1"}', 'raw=true'],
    ['{"key":"k","data":1,"type":7}', '"type" must be text'],
    ['{"key":"k","data":1,"extensions":[]}', '"extensions" must be an object'],
    ['{"key":"k","data":1,"extensions":{"a":{}}}', 'extension "a"'],
    [
      '{"specversion":"0.3","id":"i","source":"s","type":"t","partitionkey":"k"}',
      '"specversion" must be "1.0"',
    ],
    ['{"specversion":"1.0","source":"s","type":"t","partitionkey":"k"}', '"id" is missing'],
    ['{"specversion":"1.0","id":"i","source":"s","type":"t"}', '"partitionkey" is missing'],
    [
      '{"specversion":"1.0","id":"i","source":"s","type":"t","partitionkey":"k","data_base64":"AA=="}',
      'data_base64',
    ],
    [
      '{"specversion":"1.0","id":"i","source":"s","type":"t","partitionkey":"k","datacontenttype":"text/xml"}',
      'datacontenttype',
    ],
    ['7', 'must be a JSON object'],
    ['null', 'must be a JSON object'],
  ])('%s is refused', (body, problem) => {
    expect(only(body)).toEqual(refusedWith(problem))
  })
})

describe('raw values', () => {
  const raw = { raw: true, keyField: 'customer.id' } as const

  test('the value is the data', () => {
    const value = { customer: { id: 'c' }, hash: '99', total: 1 }
    expect(only(JSON.stringify(value), { ...raw, explicitHashKeyField: 'hash', type: 'order' })).toEqual({
      key: 'c',
      data: value,
      explicitHashKey: '99',
      type: 'order',
    })
  })

  test('a member whose name is the whole path comes first', () => {
    expect(only('{"customer.id":"dotted","customer":{"id":"c"}}', raw)).toMatchObject({ key: 'dotted' })
  })

  test('inherited members are no fields', () => {
    expect(only('{}', { raw: true, keyField: 'constructor.name' })).toEqual(refusedWith('no field'))
  })

  test.each([
    ['{"customer":{}}', 'no field "customer.id"'],
    ['{"customer":{"id":null}}', '1 to 256 characters'],
    ['{"customer":{"id":{}}}', '1 to 256 characters'],
    ['"text"', 'no field "customer.id"'],
  ])('%s is refused', (body, problem) => {
    expect(only(body, raw)).toEqual(refusedWith(problem))
  })

  test('a hash key that JSON numbers cannot carry is refused', () => {
    const options = { ...raw, explicitHashKeyField: 'h' }
    expect(only('{"customer":{"id":1},"h":340282366920938463463374607431768211455}', options)).toEqual(
      refusedWith('as text'),
    )
    expect(only('{"customer":{"id":1},"h":12}', options)).toMatchObject({ explicitHashKey: '12' })
  })
})

describe('newline-delimited JSON', () => {
  const lines = { format: 'lines', raw: true, keyField: 'k' } as const

  test('one bad line fails alone, in its place; blank lines are no records', () => {
    const records = parse('{"k":1}\r\n\n  \t\r\n{"k":\n{"k":3}', lines)
    expect(records.map((record) => record.ok)).toEqual([true, false, true])
    expect(records[1]).toEqual(refusedWith('record 2 is not JSON'))
  })

  test('invalid UTF-8 is refused, in its line', () => {
    const body = Buffer.concat([
      Buffer.from('{"k":"a"}\n{"k":"'),
      Buffer.from([0xff, 0xc3]),
      Buffer.from('"}\n{"k":"ü"}\n'),
    ])
    const records = parse(body, lines)
    expect(records.map((record) => record.ok)).toEqual([true, false, true])
    expect(records[1]).toEqual(refusedWith('record 2 is not UTF-8'))
  })

  test('the problem never quotes the line', () => {
    expect(JSON.stringify(parse('{"k":1}\n{"k": sesame}', lines)[1])).not.toContain('sesame')
  })

  test('more records than a request may hold are refused with how to split', () => {
    const body = '{"k":1}\n'.repeat(501)
    expect(() => parse(body, lines)).toThrowError(
      expect.objectContaining({
        code: 'EDDY_REQUEST_TOO_LARGE',
        message: expect.stringContaining('Split it'),
      }),
    )
    expect(parse('{"k":1}\n'.repeat(500), lines)).toHaveLength(500)
  })
})

describe('JSON bodies', () => {
  test('an array is its elements, each with its own fate', () => {
    const records = parse('[{"key":"a","data":1},7,{"key":"b","data":2}]')
    expect(records.map((record) => record.ok)).toEqual([true, false, true])
  })

  test('too many elements', () => {
    expect(() =>
      parse(JSON.stringify(Array.from({ length: 501 }, () => ({ key: 'k', data: 1 })))),
    ).toThrowError(expect.objectContaining({ code: 'EDDY_REQUEST_TOO_LARGE' }))
  })

  test.each([
    ['', 'is not JSON'],
    ['[]', 'holds no record'],
    ['{"key":', 'is not JSON'],
    ['{"key":"k","data":1}\n{"key":"k","data":1}', 'is not JSON'],
  ])('%j is refused as a whole', (body, problem) => {
    expect(() => parse(body)).toThrowError(
      expect.objectContaining({ code: 'EDDY_INVALID_REQUEST', message: expect.stringContaining(problem) }),
    )
  })

  test('invalid UTF-8 is refused', () => {
    expect(() => parse(new Uint8Array([0x22, 0xff, 0x22]))).toThrowError(/not UTF-8/)
  })

  test('nesting that would overflow the stack of a writer is refused', () => {
    const deep = (levels: number) => `{"key":"k","data":${'['.repeat(levels)}${']'.repeat(levels)}}`
    expect(only(deep(200_000))).toEqual(refusedWith('nested deeper'))
    expect(only(deep(900))).toMatchObject({ key: 'k' })
  })
})
